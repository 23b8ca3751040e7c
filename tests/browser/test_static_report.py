"""report.html in a real browser: drawn without a script, a request or a word too pale to read."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.model import Decision
from analyzer.report import html
from analyzer.report.content import latency_page, verdict_page
from analyzer.report.content.page import Chart, Page
from tests.browser.chromium import CONTRAST, OVERFLOW
from tests.report.documents import document
from tests.report.frames import tables
from tests.report.hostile_strings import STRINGS, hostile_document
from tests.report.verdicts import verdict

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


# Cells of the tables with an outcome: their text, and the box of what can be seen of each.
CELLS = """() => [...document.querySelectorAll('.wide:has(td.toned)')].map((wide) => {
  const seen = wide.getBoundingClientRect();
  return [...wide.querySelectorAll('td')].map((cell) => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    const box = range.getBoundingClientRect();
    return { text: cell.innerText, title: getComputedStyle(cell, '::before').content,
      whole: box.left >= seen.left - 1 && box.right <= seen.right + 1,
      toned: cell.matches('.toned'), at: [box.left, box.top, box.right, box.bottom] };
  });
})"""


def test_a_phone_shows_every_number_beside_an_outcome_whole_and_named(
    tmp_path: Path, browse: Browse
) -> None:
    """Half of 0.052 % is another number, whether a window's edge or a column cuts it."""
    with browse(390, "light") as (page, wrong):
        page.goto(written(tmp_path, document(Decision.REJECT)))
        tables = page.evaluate(CELLS)
        assert len(tables) > 3
        for cells in tables:
            assert [cell["text"] for cell in cells if not cell["whole"]] == []
            assert _overlapping(cells) == []
        named = {cell["title"] for cell in tables[0] if not cell["toned"]}
        assert {'"production"', '"shadow"', '"judged interval"', '"margin"'} <= named
        assert not wrong


def _overlapping(cells: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (one["text"], other["text"])
        for one, other in combinations(cells, 2)
        if one["at"][0] < other["at"][2]
        and other["at"][0] < one["at"][2]
        and one["at"][1] + 1 < other["at"][3]
        and other["at"][1] + 1 < one["at"][3]
    ]


@pytest.mark.parametrize("width", [1280, 390])
def test_an_outcome_and_its_footnotes_stand_in_one_line(
    width: int, tmp_path: Path, browse: Browse
) -> None:
    with browse(width, "light") as (page, _):
        page.goto(written(tmp_path, _much_footnoted(document(Decision.REJECT))))
        badges = page.locator("td.toned .badge").all()
        heights = {badge.evaluate("e => e.offsetHeight") for badge in badges}
        assert len(badges) > 20
        assert len(heights) == 1, heights
        assert not page.evaluate(OVERFLOW)


def _much_footnoted(text: str) -> str:
    """The outcome of a metric as it reads where many notes belong to it."""
    made = text.replace(">pass</span>", ">pass (1,3-5,11-13)</span>")
    assert made != text
    return made


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", ["forest", "overlay"])
def test_a_drawing_alone_in_its_row_has_its_caption_beside_it_where_there_is_room(
    kind: str, width: int, tmp_path: Path, browse: Browse
) -> None:
    build = verdict_page if kind == "forest" else latency_page
    page_of = build(verdict(Decision.REJECT), tables(Decision.REJECT))
    chart = next(
        one for one in page_of.blocks if isinstance(one, Chart) and one.kind == kind and one.caption
    )
    with browse(width, "light") as (page, _):
        page.goto(written(tmp_path, html.render([Page("one", "One", (chart,))], "report")))
        drawing = page.locator(".drawing svg").bounding_box()
        caption = page.locator("figcaption").bounding_box()
        assert drawing is not None
        assert caption is not None
        beside = caption["x"] >= drawing["x"] + drawing["width"]
        below = caption["y"] >= drawing["y"] + drawing["height"]
        assert (beside, below) == ((True, False) if width > 1000 else (False, True))
        assert width < 1000 or drawing["width"] > 500


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
