"""The report in a real browser: drawn, silent, and alone on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from analyzer import bundle
from analyzer.model import Decision
from analyzer.report.content.evidence import judged
from tests.browser.chromium import CONTRAST, OVERFLOW
from tests.browser.serving import TABS, drawn, through, visit
from tests.report.frames import tables
from tests.report.verdicts import hostile, verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.conftest import Browse, Report

    Walk: TypeAlias = Callable[[Decision, int, str], "Walked"]

pytestmark = pytest.mark.browser


def written(folder: Path, decision: Decision) -> Path:
    bundle.write(folder / "out", verdict(decision), {"summary.md": "summary\n"}, tables(decision))
    return folder / "out"


@dataclass(frozen=True)
class Walked:
    """What was found on each page, by its title, and everything that should not have happened."""

    wrong: list[str]
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)


# Asked of every page: each is a function of no arguments.
ASKED = {
    "overflow": f"() => {OVERFLOW}",
    "text": CONTRAST,
    "exceptions": "() => document.querySelectorAll('[data-testid=stException]').length",
    # What is on top at points all over the screen, where it is not the page itself.
    "covered": """() => {
      const main = document.querySelector('[data-testid=stMain]');
      const points = [...Array(9).keys()].flatMap((i) =>
        [...Array(9).keys()].map((j) => [(i + 0.5) / 9 * innerWidth, (j + 0.5) / 9 * innerHeight]));
      return points
        .map(([x, y]) => document.elementFromPoint(x, y))
        .filter((top) => top && !main.contains(top) && !top.contains(main))
        .map((top) => top.dataset.testid || top.className);
    }""",
    "axes": """() => [...document.querySelectorAll('svg.marks')].map((chart) =>
      [...chart.querySelectorAll('.role-axis-label text')]
        .filter((text) => getComputedStyle(text).opacity !== '0')
        .map((text) => text.textContent))""",
    "neighbours": """() => [...document.querySelectorAll('[data-testid=stHorizontalBlock]')]
      .map((row) => [...row.querySelectorAll('[data-testid=stVegaLiteChart]')]
        .map((chart) => chart.closest('[data-testid=stLayoutWrapper]'))
        .map((card) => Math.round(card.getBoundingClientRect().height)))
      .filter((heights) => heights.length === 2)""",
    "marks": """() => Object.fromEntries([...document.querySelectorAll('svg.marks text')]
      .map((text) => [text.textContent, text.getBoundingClientRect().y]))""",
    "cells": """() => Object.fromEntries([...document.querySelectorAll('td')]
      .map((cell) => [cell.innerText.trim().replace(/\\s+/g, ' '), cell.getBoundingClientRect()])
      .map(([text, { x, width }]) => [text, { x, width }]))""",
}


@pytest.fixture(scope="module")
def walks() -> dict[tuple[Decision, int, str], Walked]:
    """Those that were taken already; nobody changes what was found."""
    return {}


@pytest.fixture
def walk(
    tmp_path: Path,
    report: Report,
    browse: Browse,
    walks: dict[tuple[Decision, int, str], Walked],
) -> Walk:
    """Through every page as a reader goes, once for all tests that ask what was to be seen."""

    def taken(decision: Decision, width: int, theme: str) -> Walked:
        key = (decision, width, theme)
        if key not in walks:
            with browse(width, theme) as (page, wrong):
                page.goto(report(written(tmp_path, decision)))
                page.get_by_role("heading", name=decision.value, level=1).wait_for()
                walked = Walked(wrong)
                for tab in through(page):
                    page.wait_for_timeout(500)
                    walked.pages[tab] = {name: page.evaluate(js) for name, js in ASKED.items()}
                    links = page.get_by_test_id("stPageLink").all()
                    walked.pages[tab]["links"] = [link.is_visible() for link in links]
            walks[key] = walked
        return walks[key]

    return taken


@pytest.mark.parametrize(
    ("decision", "width", "theme"),
    [
        (Decision.REJECT, 1280, "light"),
        (Decision.HOLD, 390, "dark"),
        pytest.param(Decision.REJECT, 390, "dark", marks=pytest.mark.long),
        pytest.param(Decision.REJECT, 390, "light", marks=pytest.mark.long),
    ],
)
def test_every_page_is_drawn_without_error_or_foreign_request(
    decision: Decision, width: int, theme: str, walk: Walk
) -> None:
    walked = walk(decision, width, theme)
    assert tuple(walked.pages) == TABS
    for tab, seen in walked.pages.items():
        assert seen["exceptions"] == 0
        assert not seen["overflow"], f"{tab} is wider than {width} px"
        assert seen["text"]["seen"] > 20
        assert not seen["text"]["pale"], f"{tab}, {theme}"
    assert not walked.wrong


def test_nothing_lies_over_the_page_a_phone_went_to(walk: Walk) -> None:
    for tab, seen in walk(Decision.HOLD, 390, "dark").pages.items():
        assert seen["covered"] == [], tab
        assert len(seen["links"]) == len(TABS)
        assert all(seen["links"])


def test_rows_of_the_forest_stand_as_in_the_table(walk: Walk) -> None:
    metrics = list(judged(verdict(Decision.HOLD)))
    places = walk(Decision.HOLD, 390, "dark").pages["Verdict"]["marks"]
    assert sorted(metrics, key=lambda metric: places[metric]) == metrics
    for word in ("no change", "margin", "2x", "3x"):
        assert word in places


def test_time_axes_of_a_phone_name_a_day(walk: Walk) -> None:
    axes = walk(Decision.HOLD, 390, "dark").pages["Latency"]["axes"]
    assert len(axes) > 5
    for labels in axes:
        days = {label for label in labels if re.search(r"Nov \d\d", label)}
        assert len(days) > 1, labels


def test_sentences_about_gates_are_read_on_a_phone_without_scrolling(walk: Walk) -> None:
    cells = walk(Decision.HOLD, 390, "dark").pages["Evidence quality"]["cells"]
    for gate in verdict(Decision.HOLD).gates.values():
        box = cells[gate.text]
        assert box["width"] > 250
        assert box["x"] + box["width"] <= 390


def test_neighbouring_charts_are_equally_high(walk: Walk) -> None:
    walked = walk(Decision.REJECT, 1280, "light")
    for tab in ("Latency", "Predictions"):
        rows = walked.pages[tab]["neighbours"]
        assert rows, tab
        assert all(left == right for left, right in rows), rows


# Fifty strings, in more places and on every page, are what test_hostile_pages shows.
@pytest.mark.long
def test_hostile_text_opens_no_dialog_and_fetches_nothing(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    text = (
        "<img src=http://evil.test/a onerror=alert(1)> ![x](http://evil.test/b.png) "
        "<script>alert(2)</script> :material/home: </style><svg onload=alert(3)>"
    )
    bundle.write(
        tmp_path / "out", hostile(text), {"summary.md": "summary\n"}, tables(Decision.HOLD)
    )
    with browse(1280, "light") as (page, wrong):
        page.goto(report(tmp_path / "out"))
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        for _ in through(page):
            page.wait_for_timeout(500)
        assert not wrong


def test_another_sites_name_for_this_machine_is_refused(tmp_path: Path, report: Report) -> None:
    address = report(written(tmp_path, Decision.HOLD))
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(address, headers={"Host": "evil.test"}))  # noqa: S310 - http to ourselves
    refused.value.close()
    assert refused.value.code == 421
    with urlopen(address) as answer:  # noqa: S310 - http to ourselves
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_missing_bundle_is_a_sentence_in_the_browser(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    with browse(390, "light") as (page, wrong):
        page.goto(report(tmp_path / "nowhere"))
        page.get_by_text("no such bundle").wait_for()
        assert page.get_by_test_id("stException").count() == 0
        assert not wrong


def test_the_pages_and_the_explanations_are_reached_by_keyboard_alone(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    focused = "document.activeElement.innerText || document.activeElement.ariaLabel || ''"
    with browse(1280, "light") as (page, wrong):
        page.goto(report(written(tmp_path, Decision.HOLD)))
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        drawn(page)
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate(focused).strip() == "Latency":
                break
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Latency", level=1).wait_for()
        visit(page, "Verdict")
        page.get_by_role("heading", name="HOLD", level=1).wait_for()
        drawn(page)
        page.get_by_label("A metric or gate").focus()
        page.keyboard.type("model_error_rate")
        page.keyboard.press("Enter")
        page.get_by_text("what would settle it").wait_for()
        assert "guardrail=model_error_rate" in page.url
        assert not wrong


def test_a_reload_of_an_address_shows_what_was_chosen(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    with browse(390, "dark") as (page, wrong):
        page.goto(f"{report(written(tmp_path, Decision.HOLD))}/?guardrail=latency_p95")
        page.get_by_text("what would settle it").wait_for()
        page.reload()
        page.get_by_text("what would settle it").wait_for()
        assert not page.evaluate(OVERFLOW)
        assert not page.evaluate(CONTRAST)["pale"]
        assert not wrong


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("asked", ["latency_p95", "no_such_metric"])
def test_what_an_address_asks_for_is_in_sight_without_scrolling(
    asked: str, width: int, theme: str, *, tmp_path: Path, report: Report, browse: Browse
) -> None:
    with browse(width, theme) as (page, wrong):
        page.goto(f"{report(written(tmp_path, Decision.HOLD))}/?guardrail={asked}")
        said = "what it is" if asked == "latency_p95" else "The address asks for no_such_metric"
        answer = page.get_by_text(said)
        answer.wait_for()
        drawn(page)
        box = answer.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
        assert not page.evaluate(CONTRAST)["pale"]
        assert not page.evaluate(OVERFLOW)
        assert not wrong


def several(folder: Path) -> Path:
    """Runs under short and long names, as a nightly job writes them."""
    for name, decision in (
        ("five_hundreds", Decision.REJECT),
        ("2026-11-26-churn-endpoint-v2", Decision.HOLD),
        ("d41d8cd98f00b204e9800998ecf8427e" * 4, Decision.PROMOTE),
    ):
        bundle.write(folder / "runs" / name, verdict(decision), {}, tables(decision))
    return folder / "runs"


def test_no_name_and_no_number_is_broken_in_the_list_of_all_runs(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    lines = """() => [...document.querySelectorAll('[data-testid=stTable] tbody tr')].map((row) =>
      [row.cells[0], row.cells[6]].map((cell) => {
        const range = document.createRange();
        range.selectNodeContents(cell.querySelector('p'));
        const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
        return [cell.innerText.trim(), new Set(tops).size];
      }))"""
    with browse(1280, "light") as (page, wrong):
        address = report(several(tmp_path))
        page.goto(f"{address}/?bundle=five_hundreds")
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        page.get_by_role("link", name="All runs", exact=True).first.click()
        page.get_by_role("heading", name="All runs", exact=True).wait_for()
        drawn(page)
        rows = page.evaluate(lines)
        assert len(rows) == 3
        for (name, broken), (_, number) in rows:
            assert number == 1
            assert (broken == 1) is (len(name) < 30), name
        assert not page.evaluate(OVERFLOW)
        assert not wrong


def test_an_address_that_names_no_run_leads_to_one(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    with browse(390, "dark") as (page, wrong):
        page.goto(f"{report(several(tmp_path))}/?bundle=gone")
        page.get_by_role("heading", name="No such run", level=1).wait_for()
        page.get_by_text("There is no run named gone here").wait_for()
        assert page.get_by_role("heading", name="PROMOTE", level=1).count() == 0
        page.get_by_role("combobox").first.focus()
        page.keyboard.type("five")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Verdict", exact=True).first.click()
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        assert "bundle=five_hundreds" in page.url
        assert not page.evaluate(OVERFLOW)
        assert not wrong


def test_the_address_of_the_latest_run_names_it_before_anybody_has_chosen(
    tmp_path: Path, report: Report, browse: Browse
) -> None:
    """An address that is sent on shows the same run when there is a later one."""
    with browse(390, "light") as (page, wrong):
        page.goto(report(several(tmp_path)))
        page.get_by_role("heading", name="REJECT", level=1).wait_for()
        drawn(page)
        assert "bundle=five_hundreds" in page.url
        visit(page, "Latency")
        assert "bundle=five_hundreds" in page.url
        assert not wrong
