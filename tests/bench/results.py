"""How a benchmark's numbers are shown: Markdown tables of medians with their extremes."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.measure import Measured

READING = (
    "Median (lowest..highest) of the rounds; a ratio is taken within a round. CPU is user and "
    "system time of all threads, peak RSS the largest resident memory of the process (never less "
    "than the measuring one's), MB 10^6 bytes."
)


@dataclass(frozen=True)
class Ratio:
    """Something divided by something, once a round.

    Attributes:
        wanted: what it should be, such as `>= 6`; empty where nothing was promised.
    """

    name: str
    values: Sequence[float]
    wanted: str = ""


def ratio(name: str, above: Iterable[float], below: Iterable[float], wanted: str = "") -> Ratio:
    """One number of each round by another of the same round."""
    pairs = zip(above, below, strict=True)
    return Ratio(name, [one / other for one, other in pairs], wanted)


def walls(runs: Sequence[Measured]) -> list[float]:
    """Seconds."""
    return [run.wall_s for run in runs]


def cpus(runs: Sequence[Measured]) -> list[float]:
    """Seconds."""
    return [run.cpu_s for run in runs]


def peaks(runs: Sequence[Measured]) -> list[float]:
    """MB."""
    return [run.peak_bytes / 1e6 for run in runs]


def spread(values: Sequence[float]) -> str:
    """The median, and the extremes where there are several.

    >>> spread([1.0]), spread([31.04, 30.0, 32.0]), spread([])
    ('1.00', '31.0 (30.0..32.0)', '-')
    """
    if not values:
        return "-"
    middle = shown(median(values))
    return middle if len(values) == 1 else f"{middle} ({shown(min(values))}..{shown(max(values))})"


def shown(value: float) -> str:
    """Three significant digits, or the whole number.

    >>> shown(0.01234), shown(1.234), shown(12.34), shown(1234.5)
    ('0.012', '1.23', '12.3', '1234')
    >>> shown(0)
    '0'
    """
    digits = 0 if not value else 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}"


def grouped(count: int) -> str:
    """A count with spaces between thousands."""
    return f"{count:,}".replace(",", " ")


def ratio_table(ratios: Iterable[Ratio]) -> str:
    """One row a ratio, with what was wanted."""
    rows = [[each.name, spread(each.values), each.wanted or "-"] for each in ratios]
    return table(["", "measured", "wanted"], rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that is also readable as it stands; numbers to the right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = [f"{'-' * (width + 1)}{'-' if at == 0 else ':'}" for at, width in enumerate(widths)]
    shown_rows = [
        "| " + " | ".join(_padded(cell, width, at) for at, cell, width in _numbered(line, widths))
        for line in lines
    ]
    head, *body = (f"{line} |" for line in shown_rows)
    return "\n".join([head, "|" + "|".join(rule) + "|", *body]) + "\n"


def _numbered(line: Sequence[str], widths: Sequence[int]) -> Iterable[tuple[int, str, int]]:
    return zip(range(len(line)), line, widths, strict=True)


def _padded(cell: str, width: int, at: int) -> str:
    return cell.ljust(width) if at == 0 else cell.rjust(width)
