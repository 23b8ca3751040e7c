"""What a page says when the run ended before anything was measured.

In: a verdict. Out: one sentence instead of a page of missing sections, none of which an export
would fill.
"""

from __future__ import annotations

from analyzer.model import Decision, Verdict
from analyzer.report.content.page import Missing


def unfinished(verdict: Verdict) -> bool:
    """True for an ERROR that measured nothing."""
    return verdict.decision is Decision.ERROR and not verdict.metrics


def stopped(verdict: Verdict) -> Missing:
    """Why there is nothing on this page."""
    return Missing("Nothing was measured", f"The run did not finish: {verdict.summary}")
