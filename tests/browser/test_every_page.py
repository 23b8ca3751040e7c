"""Every page of the report, of every kind of output, in both themes and at both widths.

A slice of it runs everywhere; all of it with `--long`. With SCREENSHOTS=FOLDER each page is kept
as a picture there.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import CONTRAST, OVERFLOW
from tests.browser.serving import through
from tests.replay.replay_builders import World
from tests.report import bundles

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.conftest import Browse, Report

pytestmark = pytest.mark.browser
WIDTHS, THEMES = (1280, 390), ("light", "dark")
SLICES = 'slices={hour=true, content_type=true, "input.2"="categories", "input.1"="quantiles"}'
MADE: dict[str, Callable[[Path], Path]] = {
    **{kind: partial(bundles.of_kind, kind) for kind in bundles.ANSWERS},
    **{name: partial(bundles.of_scenario, name) for name in bundles.SCENARIOS},
    "replay": bundles.of_replay,
    "shown": partial(bundles.of_kind, "text", payloads="shown"),
    "sliced": partial(bundles.of_kind, "probability", more=(SLICES,)),
}
# The same pages of fewer requests, where neither pictures nor the whole suite are asked for.
SMALL: dict[str, Callable[[Path], Path]] = {
    "text": partial(bundles.of_kind, "text", requests=300, drawn=False),
    "replay": partial(
        bundles.of_replay, world=World(requests=300, slower=1.1, failing=0.01), drawn=False
    ),
}
SLICE = (("text", 390, "dark"), ("replay", 1280, "light"))
EVERYTHING = [(name, width, theme) for name in MADE for width in WIDTHS for theme in THEMES]
CASES = [
    *SLICE,
    *(pytest.param(*case, marks=pytest.mark.long) for case in EVERYTHING if case not in SLICE),
]


@pytest.mark.parametrize(("name", "width", "theme"), CASES)
def test_every_page_of_every_kind_is_drawn_in_silence(
    name: str,
    width: int,
    theme: str,
    *,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    report: Report,
    browse: Browse,
) -> None:
    pictures = os.environ.get("SCREENSHOTS")
    whole = pictures or request.config.getoption("--long")
    path = (MADE if whole else SMALL)[name](tmp_path)
    with browse(width, theme) as (page, wrong):
        page.goto(report(path))
        for tab in through(page):
            assert page.get_by_test_id("stException").count() == 0
            assert not page.evaluate(OVERFLOW), f"{tab} is wider than {width} px"
            assert not page.evaluate(CONTRAST)["pale"], tab
            if pictures:
                place = f"{name}-{tab.split()[0].lower()}-{width}-{theme}.png"
                keep_picture(page, Path(pictures) / place)
        page.goto((path / "report.html").as_uri())
        if pictures:
            place = f"{name}-static-{width}-{theme}.png"
            page.screenshot(path=Path(pictures) / place, full_page=True)
        assert not wrong


def keep_picture(page: Page, path: Path) -> None:
    """Of a page of the application, which scrolls inside the window."""
    before = page.viewport_size
    assert before is not None
    height = page.evaluate("document.querySelector('[data-testid=stMain] > *').scrollHeight + 50")
    page.set_viewport_size({"width": before["width"], "height": min(height, 12_000)})
    page.wait_for_timeout(700)
    page.screenshot(path=path)
    page.set_viewport_size(before)
