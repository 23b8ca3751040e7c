"""What the report says: every word, rounding, unit and colour role, as pages of blocks.

In: a verdict and its tables. Out: `Page`s. The terminal, Markdown and the report application draw
the same pages and add nothing of their own.
"""

from __future__ import annotations

from analyzer.report.content.errors_page import errors_page
from analyzer.report.content.latency_page import latency_page
from analyzer.report.content.page import Page
from analyzer.report.content.predictions_page import predictions_page
from analyzer.report.content.quality_page import evidence_page
from analyzer.report.content.verdict_page import verdict_page

PAGES = (verdict_page, latency_page, errors_page, predictions_page, evidence_page)
"""Page builders in reading order."""

__all__ = [
    "PAGES",
    "Page",
    "errors_page",
    "evidence_page",
    "latency_page",
    "predictions_page",
    "verdict_page",
]
