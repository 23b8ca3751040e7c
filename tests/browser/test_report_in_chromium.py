"""The report in a real browser: drawn, silent, and alone on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from analyzer import bundle
from analyzer.model import Decision
from analyzer.report.content.evidence import judged
from tests.browser.chromium import CONTRAST, browsing
from tests.browser.serving import drawn, served, visit
from tests.report.frames import tables
from tests.report.verdicts import hostile, verdict

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser
TABS = ("Verdict", "Latency", "Errors", "Predictions", "Evidence quality")


def written(folder: Path, decision: Decision) -> Path:
    bundle.write(folder / "out", verdict(decision), {"summary.md": "summary\n"}, tables(decision))
    return folder / "out"


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_every_page_is_drawn_without_error_or_foreign_request(
    width: int, theme: str, tmp_path: Path
) -> None:
    with served(written(tmp_path, Decision.REJECT)) as address, browsing(width, theme) as seen:
        page, wrong = seen
        page.goto(address)
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        for tab in TABS:
            visit(page, tab)
            drawn(page)
            assert page.get_by_test_id("stException").count() == 0
            overflow = "document.documentElement.scrollWidth > window.innerWidth"
            assert not page.evaluate(overflow), f"{tab} is wider than {width} px"
            text = page.evaluate(CONTRAST)
            assert text["seen"] > 20
            assert not text["pale"], f"{tab}, {theme}"
        assert not wrong


def test_nothing_lies_over_the_page_a_phone_went_to(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.REJECT)) as address, browsing(390, "light") as seen:
        page, _ = seen
        page.goto(address)
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        for tab in TABS[::-1]:
            visit(page, tab)
            page.wait_for_timeout(500)
            assert page.evaluate(COVERED) == []
            assert all(link.is_visible() for link in page.get_by_test_id("stPageLink").all())


# What is on top at points all over the screen, where it is not the page itself.
COVERED = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const points = [...Array(9).keys()].flatMap((i) =>
    [...Array(9).keys()].map((j) => [(i + 0.5) / 9 * innerWidth, (j + 0.5) / 9 * innerHeight]));
  return points
    .map(([x, y]) => document.elementFromPoint(x, y))
    .filter((top) => top && !main.contains(top) && !top.contains(main))
    .map((top) => top.dataset.testid || top.className);
}"""


def test_rows_of_the_forest_stand_as_in_the_table(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.HOLD)) as address, browsing(390, "light") as seen:
        page, _ = seen
        page.goto(address)
        drawn(page)
        metrics = list(judged(verdict(Decision.HOLD)))
        texts = page.locator("svg.marks text").all()
        places = {text.text_content(): box["y"] for text in texts if (box := text.bounding_box())}
        assert sorted(metrics, key=lambda metric: places[metric]) == metrics
        for word in ("no change", "margin", "2x", "3x"):
            assert word in places


def test_time_axes_of_a_phone_name_a_day(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.REJECT)) as address, browsing(390, "light") as seen:
        page, _ = seen
        page.goto(address)
        visit(page, "Latency")
        drawn(page)
        axes = page.evaluate(
            """() => [...document.querySelectorAll('svg.marks')].map((chart) =>
              [...chart.querySelectorAll('.role-axis-label text')]
                .filter((text) => getComputedStyle(text).opacity !== '0')
                .map((text) => text.textContent))"""
        )
        assert len(axes) > 5
        for labels in axes:
            days = {label for label in labels if re.search(r"Nov \d\d", label)}
            assert len(days) > 1, labels


def test_sentences_about_gates_are_read_on_a_phone_without_scrolling(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.HOLD)) as address, browsing(390, "light") as seen:
        page, _ = seen
        page.goto(address)
        visit(page, "Evidence quality")
        for gate in verdict(Decision.HOLD).gates.values():
            box = page.get_by_role("cell", name=gate.text, exact=True).bounding_box()
            assert box is not None
            assert box["width"] > 250
            assert box["x"] + box["width"] <= 390


def test_neighbouring_charts_are_equally_high(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.REJECT)) as address, browsing(1280, "light") as seen:
        page, _ = seen
        page.goto(address)
        for tab in ("Latency", "Predictions"):
            visit(page, tab)
            drawn(page)
            page.wait_for_timeout(500)
            rows = page.evaluate(
                """() => [...document.querySelectorAll('[data-testid=stHorizontalBlock]')]
                  .map((row) => [...row.querySelectorAll('[data-testid=stVegaLiteChart]')]
                    .map((chart) => chart.closest('[data-testid=stLayoutWrapper]'))
                    .map((card) => Math.round(card.getBoundingClientRect().height)))
                  .filter((heights) => heights.length === 2)"""
            )
            assert rows, tab
            assert all(left == right for left, right in rows), rows


def test_hostile_text_opens_no_dialog_and_fetches_nothing(tmp_path: Path) -> None:
    text = (
        "<img src=http://evil.test/a onerror=alert(1)> ![x](http://evil.test/b.png) "
        "<script>alert(2)</script> :material/home: </style><svg onload=alert(3)>"
    )
    bundle.write(
        tmp_path / "out", hostile(text), {"summary.md": "summary\n"}, tables(Decision.HOLD)
    )
    with served(tmp_path / "out") as address, browsing(1280, "light") as seen:
        page, wrong = seen
        page.goto(address)
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        for tab in TABS:
            visit(page, tab)
            page.wait_for_timeout(500)
        assert not wrong


def test_another_sites_name_for_this_machine_is_refused(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.HOLD)) as address:
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(address, headers={"Host": "evil.test"}))  # noqa: S310 - http to ourselves
        refused.value.close()
        assert refused.value.code == 421
        with urlopen(address) as answer:  # noqa: S310 - http to ourselves
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_missing_bundle_is_a_sentence_in_the_browser(tmp_path: Path) -> None:
    with served(tmp_path / "nowhere") as address, browsing(390, "light") as seen:
        page, wrong = seen
        page.goto(address)
        page.get_by_text("no such bundle").wait_for()
        assert page.get_by_test_id("stException").count() == 0
        assert not wrong


def test_the_pages_and_the_explanations_are_reached_by_keyboard_alone(tmp_path: Path) -> None:
    focused = "document.activeElement.innerText || document.activeElement.ariaLabel || ''"
    with served(written(tmp_path, Decision.HOLD)) as address, browsing(1280, "light") as seen:
        page, wrong = seen
        page.goto(address)
        drawn(page)
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate(focused).strip() == "Latency":
                break
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Latency", level=1).wait_for()
        page.goto(address)
        drawn(page)
        page.get_by_label("A metric or gate").focus()
        page.keyboard.type("model_error_rate")
        page.keyboard.press("Enter")
        page.get_by_text("what would settle it").wait_for()
        assert "guardrail=model_error_rate" in page.url
        assert not wrong


def test_a_reload_of_an_address_shows_what_was_chosen(tmp_path: Path) -> None:
    with served(written(tmp_path, Decision.HOLD)) as address, browsing(390, "dark") as seen:
        page, wrong = seen
        page.goto(f"{address}/?guardrail=latency_p95")
        page.get_by_text("what would settle it").wait_for()
        page.reload()
        page.get_by_text("what would settle it").wait_for()
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
        assert not page.evaluate(CONTRAST)["pale"]
        assert not wrong
