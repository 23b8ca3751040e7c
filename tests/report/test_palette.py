"""Colours that carry words can be read in both themes: WCAG 2's contrast, computed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from analyzer.report.charts.counts import FAINTEST, STRONGEST
from analyzer.report.charts.distributions import FAINTEST_CELL
from analyzer.report.charts.palette import PRODUCTION, SHADOW, TEXT, TONES

CONFIG = Path(__file__).parents[2] / "app" / ".streamlit" / "config.toml"
THEMES = ("light", "dark")
READABLE = 4.5
VISIBLE = 3.0
"""WCAG's least contrast of what is drawn."""


def theme(name: str) -> dict[str, str]:
    """A theme's colours by the names that charts and badges use: green, red, ... and background."""
    settings = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name]
    return {
        key.removesuffix("Color"): value for key, value in settings.items() if key.endswith("Color")
    }


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return sum(part * c for part, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def laid_over(colour: str, ground: str, opacity: float) -> str:
    mixed = (
        round(255 * (opacity * top + (1 - opacity) * below))
        for top, below in zip(channels(colour), channels(ground), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("tone", [*TONES.values(), TEXT])
def test_words_of_every_tone_can_be_read(tone: str, name: str) -> None:
    colours = theme(name)
    for ground in ("background", "secondaryBackground"):
        assert contrast(colours[tone], colours[ground]) >= READABLE


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("line", [PRODUCTION, SHADOW])
def test_lines_of_both_variants_can_be_seen(line: str, name: str) -> None:
    assert contrast(line, theme(name)["background"]) >= VISIBLE


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("hue", ["blue", TONES["open"]])
@pytest.mark.parametrize("opacity", [FAINTEST, STRONGEST])
def test_numbers_of_the_flip_matrix_can_be_read(opacity: float, hue: str, name: str) -> None:
    colours = theme(name)
    cell = laid_over(colours[hue], colours["background"], opacity)
    assert contrast(colours[TEXT], cell) >= READABLE


@pytest.mark.parametrize("name", THEMES)
def test_fuller_cells_stand_out_more_from_the_page_and_a_single_pair_is_seen(name: str) -> None:
    colours = theme(name)
    ground = colours["background"]
    steps = [
        contrast(laid_over(colours["blue"], ground, opacity), ground)
        for opacity in (FAINTEST_CELL, 0.5, 0.75, 1.0)
    ]
    assert steps == sorted(steps)
    assert steps[0] >= 1.3
    assert steps[-1] >= READABLE
