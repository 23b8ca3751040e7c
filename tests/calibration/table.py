"""How often the tool is wrong: the calibration table, printed as Markdown.

    python tests/calibration/table.py --worlds 200 --seed 1

Worlds with a known truth are drawn, and the tool judges each at every hour of a week. Rows do not
depend on each other: `--only` prints those whose name contains a text, with the same numbers.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

# `python tests/calibration/table.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.calibration.rows import SECTIONS, TRUTHS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.calibration.judging import Settled

_MARGIN = TRUTHS.index("at the margin")


def worlds_of(truth: int, worlds: int) -> int:
    """A quarter as many where no error is to be measured."""
    return worlds if truth == _MARGIN else max(1, worlds // 4)


def share(count: int, of: int) -> str:
    """A share in percent with its Monte-Carlo standard error; none and all have 95 % bounds.

    >>> share(3, 200), share(0, 200), share(200, 200)
    ('1.5 ± 0.9', '0 (< 1.5)', '100 (> 98.5)')
    """
    if count in {0, of}:
        bound = 100 * (1 - 0.05 ** (1 / of))
        return f"0 (< {bound:.1f})" if count == 0 else f"100 (> {100 - bound:.1f})"
    estimate = count / of
    return f"{100 * estimate:.1f} ± {100 * math.sqrt(estimate * (1 - estimate) / of):.1f}"


def cell(found: Sequence[Settled]) -> str:
    """Promoted / held / rejected, and the median hour of the first answer."""
    promoted = sum(one.promoted is not None for one in found)
    rejected = sum(one.rejected is not None for one in found)
    held = sum(one.promoted is None and one.rejected is None for one in found)
    return " / ".join(share(count, len(found)) for count in (promoted, held, rejected))


def median_hours(found: Sequence[Settled]) -> str:
    """The median hour of the first answer; a dash where fewer than half have one."""
    first = [
        min((hour for hour in (one.promoted, one.rejected) if hour is not None), default=math.inf)
        for one in found
    ]
    middle = float(np.median(first))
    return f"{middle:.0f} h" if math.isfinite(middle) else "-"


def line(row: Row, worlds: int, seed: int) -> str:
    """One row of the table."""
    cells = []
    for truth in range(len(TRUTHS)):
        found = list(row.settled(truth, worlds_of(truth, worlds), seed))
        cells += [cell(found), median_hours(found)]
    return f"| {row.name} | {' | '.join(cells)} |"


def table(worlds: int, seed: int, only: str | None) -> Iterator[str]:
    """The Markdown, line by line."""
    asked = f" --only '{only}'" if only else ""
    yield f"`python tests/calibration/table.py --worlds {worlds} --seed {seed}{asked}`:"
    yield f"{worlds} worlds a row at the margin, {worlds_of(0, worlds)} elsewhere; percent, ± one"
    yield "Monte-Carlo standard error, in parentheses a 95 % bound; the median hour of the answer."
    for title, rows in SECTIONS.items():
        shown = [row for row in rows if only is None or only in row.name]
        if not shown:
            continue
        yield ""
        yield f"| {title} | {' | | '.join(TRUTHS)} | |"
        yield "|-|-|-:|-|-:|-|-:|"
        for number, row in enumerate(shown, 1):
            sys.stderr.write(f"{title} {number}/{len(shown)}: {row.name}\n")
            yield line(row, worlds, seed)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--worlds", type=int, default=200, help="worlds a row at the margin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="rows whose name contains this")
    given = parser.parse_args()
    for text in table(given.worlds, given.seed, given.only):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
