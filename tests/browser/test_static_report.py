"""report.html in a real browser: drawn without a script, a request or a word too pale to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.model import Decision
from tests.browser.chromium import CONTRAST, OVERFLOW
from tests.report.documents import document
from tests.report.hostile_strings import STRINGS, hostile_document

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.conftest import Browse

pytestmark = pytest.mark.browser


def written(folder: Path, text: str) -> str:
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(
    ("width", "theme"),
    [(1280, "light"), pytest.param(1280, "dark", marks=pytest.mark.long), (390, "dark")],
)
def test_the_static_report_is_read_without_loading_anything(
    width: int, theme: str, tmp_path: Path, browse: Browse
) -> None:
    with browse(width, theme) as (page, wrong):
        page.goto(written(tmp_path, document(Decision.REJECT)))
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        for title in ("Latency", "Errors", "Predictions", "Evidence quality"):
            assert page.get_by_role("heading", name=title, level=1).count() == 1
        assert page.locator("figure svg path").count() > 100
        assert not page.evaluate(OVERFLOW)
        text = page.evaluate(CONTRAST)
        assert text["seen"] > 100
        assert not text["pale"], theme
        assert not wrong


def test_hostile_text_in_the_static_report_is_only_text(tmp_path: Path, browse: Browse) -> None:
    with browse(1280, "light") as (page, wrong):
        page.goto(written(tmp_path, hostile_document()))
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        assert page.locator("script, img, iframe, image, use, foreignObject").count() == 0
        for text in STRINGS[:2]:
            assert page.get_by_text(text).count() > 0
        assert not wrong


def test_a_narrow_window_says_that_there_are_more_columns(tmp_path: Path, browse: Browse) -> None:
    """The outcome stays in sight and lies over the others."""
    hint = "e => getComputedStyle(e, '::before').content"
    for width, said in ((390, True), (1280, False)):
        with browse(width, "light") as (page, wrong):
            page.goto(written(tmp_path, document(Decision.REJECT)))
            judged = page.locator(".wide:has(td.toned)").first
            assert ("scroll sideways" in judged.evaluate(hint)) is said
            assert not wrong


def test_a_wide_window_shows_the_most_divergent_pairs_whole(tmp_path: Path, browse: Browse) -> None:
    with browse(1280, "light") as (page, wrong):
        page.goto(written(tmp_path, document(Decision.REJECT)))
        card = page.locator(
            ".card", has=page.get_by_role("heading", name="Most divergent pairs", exact=True)
        )
        wide = card.locator(".wide").evaluate("e => e.scrollWidth - e.clientWidth")
        assert wide <= 0
        assert "scroll" not in card.inner_text()
        assert not wrong
