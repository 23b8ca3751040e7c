"""Fifty hostile strings in every untrusted field, before a real browser: one load a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import bundle
from tests.browser.serving import drawn, through
from tests.report.hostile_strings import (
    EVIL,
    STRINGS,
    hostile_document,
    hostile_tables,
    hostile_verdict,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Browse, Report

pytestmark = pytest.mark.browser
# Elements that a string could have become, and addresses it could have been taken for.
MADE = f"""() => [...document.querySelectorAll(
  'iframe, object, embed, base, form:not(.vega-bindings), video, math, [onerror], [onload],'
  + '[onmouseover], [onfocus], [ontoggle], [src*="{EVIL}"], [href*="{EVIL}"],'
  + '[href^="javascript:"],'
  + '[style*="{EVIL}"]')].map((one) => one.outerHTML.slice(0, 200))"""


def test_no_string_becomes_more_than_text_in_the_report_application(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    out = tmp_path / "out"
    bundle.write(out, hostile_verdict(), {}, hostile_tables())
    address = report(out)
    with browse(1280, "light") as (page, wrong):
        page.goto(f"{address}/?guardrail=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
        for tab in through(page):
            assert page.get_by_test_id("stException").count() == 0
            assert page.evaluate(MADE) == [], tab
        assert wrong == []
        page.goto(f"{address}/predictions?pair=%3Csvg%20onload%3Dalert(3)%3E")
        drawn(page)
        page.get_by_label("Find pair").wait_for()
        assert page.get_by_label("Find pair").input_value() == STRINGS[2]
        assert page.evaluate(MADE) == []
        # Streamlit asks below an address of two parts for its server before it asks at the root.
        assert [said for said in wrong if "404 (Not Found)" not in said] == []


def test_no_string_becomes_more_than_text_in_the_static_report(
    tmp_path: Path, browse: Browse
) -> None:
    path = tmp_path / "report.html"
    path.write_text(hostile_document(), encoding="utf-8")
    with browse(390, "dark") as (page, wrong):
        page.goto(path.as_uri())
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        for closed in page.locator("details").all():
            closed.evaluate("(one) => { one.open = true; }")
        assert page.evaluate(MADE) == []
        assert wrong == []
