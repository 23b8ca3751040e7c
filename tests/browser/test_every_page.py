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

from tests.browser.chromium import CONTRAST, browsing
from tests.browser.serving import drawn, served, visit
from tests.report import bundles

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser
TABS = ("Verdict", "Latency", "Errors", "Predictions", "Evidence quality")
WIDTHS, THEMES = (1280, 390), ("light", "dark")
OVERFLOW = "document.documentElement.scrollWidth > window.innerWidth"
SLICES = 'slices={hour=true, content_type=true, "input.2"="categories", "input.1"="quantiles"}'
MADE: dict[str, Callable[[Path], Path]] = {
    **{kind: partial(bundles.of_kind, kind) for kind in bundles.ANSWERS},
    **{name: partial(bundles.of_scenario, name) for name in bundles.SCENARIOS},
    "replay": bundles.of_replay,
    "shown": partial(bundles.of_kind, "text", payloads="shown"),
    "sliced": partial(bundles.of_kind, "probability", more=(SLICES,)),
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
    tmp_path: Path,
) -> None:
    pictures = Path(os.environ.get("SCREENSHOTS") or tmp_path / "pictures")
    pictures.mkdir(parents=True, exist_ok=True)
    path = MADE[name](tmp_path)
    with served(path) as address, browsing(width, theme) as (page, wrong):
        page.goto(address)
        page.get_by_role("heading", level=1).first.wait_for()
        for tab in TABS:
            visit(page, tab)
            drawn(page)
            assert page.get_by_test_id("stException").count() == 0
            assert not page.evaluate(OVERFLOW), f"{tab} is wider than {width} px"
            assert not page.evaluate(CONTRAST)["pale"], tab
            height = page.evaluate(
                "document.querySelector('[data-testid=stMain] > *').scrollHeight + 50"
            )
            page.set_viewport_size({"width": width, "height": min(height, 12_000)})
            page.wait_for_timeout(700)
            page.screenshot(path=pictures / f"{name}-{tab.split()[0].lower()}-{width}-{theme}.png")
            page.set_viewport_size({"width": width, "height": 900})
        page.goto((path / "report.html").as_uri())
        page.screenshot(path=pictures / f"{name}-static-{width}-{theme}.png", full_page=True)
        assert not wrong
