"""report.html in a real browser: drawn without a script, a request or a word too pale to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.model import Decision
from analyzer.report import html
from analyzer.report.content import PAGES
from tests.browser.chromium import CONTRAST, browsing
from tests.report.frames import tables
from tests.report.verdicts import hostile, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.model import Verdict

pytestmark = pytest.mark.browser


def written(folder: Path, judged: Verdict) -> str:
    path = folder / "report.html"
    pages = [build(judged, tables(Decision.REJECT)) for build in PAGES]
    path.write_text(html.render(pages, "report"), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "dark")])
def test_the_static_report_is_read_without_loading_anything(
    width: int, theme: str, tmp_path: Path
) -> None:
    address = written(tmp_path, verdict(Decision.REJECT))
    with browsing(width, theme) as (page, wrong):
        page.goto(address)
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        for title in ("Latency", "Errors", "Predictions", "Evidence quality"):
            assert page.get_by_role("heading", name=title, level=1).count() == 1
        assert page.locator("figure svg path").count() > 100
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        text = page.evaluate(CONTRAST)
        assert text["seen"] > 100
        assert not text["pale"], theme
        assert not wrong


def test_hostile_text_in_the_static_report_is_only_text(tmp_path: Path) -> None:
    text = "<img src=http://evil.test/a onerror=alert(1)><script>alert(2)</script></style>]]>"
    with browsing(1280, "light") as (page, wrong):
        page.goto(written(tmp_path, hostile(text)))
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        assert page.locator("script, img, iframe, image, use, foreignObject").count() == 0
        assert page.get_by_text("<script>alert(2)</script>").count() > 0
        assert not wrong


def test_a_narrow_window_says_that_there_are_more_columns(tmp_path: Path) -> None:
    """The outcome stays in sight and lies over the others."""
    hint = "e => getComputedStyle(e, '::before').content"
    for width, said in ((390, True), (1280, False)):
        with browsing(width, "light") as (page, wrong):
            page.goto(written(tmp_path, verdict(Decision.REJECT)))
            judged = page.locator(".wide:has(td.toned)").first
            assert ("scroll sideways" in judged.evaluate(hint)) is said
            assert not wrong


def test_a_wide_window_shows_the_most_divergent_pairs_whole(tmp_path: Path) -> None:
    with browsing(1280, "light") as (page, wrong):
        page.goto(written(tmp_path, verdict(Decision.REJECT)))
        card = page.locator(
            ".card", has=page.get_by_role("heading", name="Most divergent pairs", exact=True)
        )
        wide = card.locator(".wide").evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 0
        assert "scroll" not in card.inner_text()
        assert not wrong
