"""How a judged change is written: levels, interval and margin with matching decimals.

In: effects and margins of the verdict. Out: strings of ASCII digits. A bound never rounds onto its
margin: the reader must be able to check the outcome by eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.figures import NONE, UNKNOWN, grouped, relative, signed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Effect, Evidence

MOST_DECIMALS = 6


@dataclass(frozen=True)
class Decimals:
    """Decimals of one table's metrics of one family: levels, changes, intervals."""

    level: int
    change: int
    interval: int


def decimals_of(shown: Iterable[Evidence], unit: str) -> Decimals:
    """One precision for metrics that stand below each other; levels show what intervals show.

    Levels of shares and their differences have the same decimals, so that a reader can subtract.
    """
    rows = list(shown)
    effects = [(item.effect, item.margin) for item in rows if item.effect]
    within = max((_interval_decimals(seen, margin, unit) for seen, margin in effects), default=0)
    level = max((_level_decimals(item.production, item.shadow, unit) for item in rows), default=0)
    if any(seen.kind != "ratio" for seen, _ in effects):
        level = max(level, within)
        return Decimals(level, level, within)
    return Decimals(level, within, within)


def levels(
    production: float | None, shadow: float | None, unit: str, decimals: int | None = None
) -> tuple[str, str]:
    """Both levels of a metric with the same decimals and the unit.

    >>> levels(12.41, 12.9, "ms"), levels(0.00012, 0.00017, "share")
    (('12.4 ms', '12.9 ms'), ('0.012 %', '0.017 %'))
    """
    scale, sign = _UNITS.get(unit, (1.0, unit))
    if decimals is None:
        decimals = _level_decimals(production, shadow, unit)
    return tuple(  # type: ignore[return-value]  # two in, two out
        NONE if value is None else f"{_unsigned(value * scale, decimals)} {sign}".rstrip()
        for value in (production, shadow)
    )


def change(effect: Effect | None, unit: str, decimals: int) -> str:
    """The estimated change, with its sign and unit; a proportion has no change."""
    if effect is None or effect.estimate is None:
        return UNKNOWN
    if effect.kind == "proportion":
        return NONE
    if effect.kind == "ratio":
        return relative(effect.estimate, decimals)
    scaled = _scaled(effect.estimate, effect.kind, unit)
    return f"{signed(scaled, decimals)} {_sign(effect.kind, unit)}".rstrip()


def interval(
    effect: Effect | None, margin: float | None, unit: str, decimals: int | None = None
) -> str:
    """The judged interval, in the unit of the margin beside it; a missing bound is `?`."""
    if effect is None or (effect.lower is None and effect.upper is None):
        return UNKNOWN
    if decimals is None:
        decimals = _interval_decimals(effect, margin, unit)
    # Beside a margin of such a size, which is written in percent, only percent can be compared.
    plainly = effect.kind == "ratio" and not relative(margin or 1).endswith("times")
    bounds = (
        UNKNOWN
        if bound is None
        else relative(bound, decimals).removesuffix(" %")
        if plainly
        else _bound(bound, effect.kind, unit, decimals)
        for bound in (effect.lower, effect.upper)
    )
    return f"[{' .. '.join(bounds)}]"


def allowed(margin: float | None, kind: str, unit: str) -> str:
    """The margin as the condition a harmless change meets.

    >>> allowed(1.1, "ratio", "ms"), allowed(0.001, "difference", "share")
    ('< +10 %', '< +0.10 pp')
    >>> allowed(-0.005, "difference", "share")
    '> -0.50 pp'
    """
    if margin is None:
        return NONE
    bound = _bound(margin, kind, unit, _margin_decimals(margin, kind, unit))
    return f"{'<' if margin > 0 else '>'} {bound} {_sign(kind, unit)}".rstrip()


_UNITS = {
    "ms": (1.0, "ms"),
    "share": (100.0, "%"),
    "percent": (1.0, "%"),
    "count": (1.0, ""),
    "score": (1.0, ""),
}


def _decimals(value: float, significant: int) -> int:
    """Decimals that show `significant` digits of value, within 0..MOST_DECIMALS."""
    if value <= 0:
        return 1
    return min(MOST_DECIMALS, max(0, significant - 1 - math.floor(math.log10(value))))


def _level_decimals(production: float | None, shadow: float | None, unit: str) -> int:
    scale = _UNITS.get(unit, (1.0, unit))[0]
    known = [abs(value) * scale for value in (production, shadow) if value is not None]
    if unit == "share":
        return _decimals(min((value for value in known if value), default=0.1), 2)
    return _decimals(max(known, default=0.0), 3)


def _unsigned(value: float, decimals: int) -> str:
    """A level: its minus sign only where it is not zero as shown."""
    text = grouped(value, decimals)
    return text if float(f"{value:.{decimals}f}") else text.lstrip("-")


def _scaled(value: float, kind: str, unit: str) -> float:
    if kind == "ratio":
        return 100 * (value - 1)
    return value * _UNITS.get(unit, (1.0, ""))[0]


def _sign(kind: str, unit: str) -> str:
    if kind == "ratio":
        return "%"
    if unit == "share":
        return "pp" if kind == "difference" else "%"
    return _UNITS.get(unit, (1.0, unit))[1]


def _bound(value: float, kind: str, unit: str, decimals: int) -> str:
    scaled = _scaled(value, kind, unit)
    return _unsigned(scaled, decimals) if kind == "proportion" else signed(scaled, decimals)


def _margin_decimals(margin: float, kind: str, unit: str) -> int:
    """Fewest decimals at which the margin reads as what it is, to a thousandth of itself."""
    exact = _scaled(margin, kind, unit)
    for decimals in range(0 if kind == "ratio" else 2, MOST_DECIMALS):
        if math.isclose(round(exact, decimals), exact, rel_tol=1e-3):
            return decimals
    return MOST_DECIMALS


def _interval_decimals(effect: Effect, margin: float | None, unit: str) -> int:
    """Fewest decimals at which no bound reads like the margin, or zero, that it differs from."""
    kind = effect.kind
    known = [bound for bound in (effect.lower, effect.upper) if bound is not None]
    reference = margin or max(map(abs, known), default=1.0)
    exact = abs(_scaled(reference, kind, unit))
    start = 1 if kind == "ratio" else max(2, _decimals(exact, 1))
    if kind != "ratio" and any(_hidden(bound, kind, unit, start) for bound in known):
        start += 1
    for decimals in range(start, MOST_DECIMALS):
        if margin is None or not any(
            round(_scaled(bound, kind, unit), decimals)
            == round(_scaled(margin, kind, unit), decimals)
            for bound in known
            if bound != margin
        ):
            return decimals
    return MOST_DECIMALS


def _hidden(bound: float, kind: str, unit: str, decimals: int) -> bool:
    """True for a bound that reads as zero and would not with one more decimal."""
    here, finer = (round(_scaled(bound, kind, unit), decimals + more) for more in (0, 1))
    return here == 0 != finer
