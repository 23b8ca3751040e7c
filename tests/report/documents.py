"""The static report of every decision, drawn once for all tests that only read it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from analyzer.report import html
from analyzer.report.content import PAGES
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from analyzer.model import Decision


@cache
def document(decision: Decision) -> str:
    pages = [build(verdict(decision), tables(decision)) for build in PAGES]
    return html.render(pages, "report")
