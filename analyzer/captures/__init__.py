"""Capture JSONL -> records, pairs, and a ledger in which every line is counted once."""

from __future__ import annotations

from analyzer.captures.records import Captures

__all__ = ["Captures"]
