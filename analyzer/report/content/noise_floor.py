"""Production against itself, as a table of the predictions page.

In: the noise floor of a verdict. Out: a block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.figures import NONE, counted, grouped, percent, plain
from analyzer.report.content.page import Column, Table

if TYPE_CHECKING:
    from analyzer.model import NoiseFloor, Verdict


def floor_table(verdict: Verdict, floor: NoiseFloor) -> Table:
    """Production's own disagreement beside the shadow's."""
    rows = []
    for metric, own in floor.shares.items():
        judged = verdict.metrics.get(metric)
        shadow = None if judged is None else judged.shadow
        rows.append(
            (
                metric,
                f"{grouped(own.events)} of {grouped(own.outcomes)}",
                grouped(own.effective),
                percent(own.events / own.outcomes, 2),
                NONE if shadow is None else percent(shadow, 2),
            )
        )
    distance = floor.mean_absolute_difference
    return Table(
        "Noise floor: production against itself",
        (
            Column("metric"),
            Column("A/A differences", "right"),
            Column("worth independent", "right"),
            Column("A/A share", "right"),
            Column("shadow's share", "right"),
        ),
        tuple(rows),
        caption=(
            f"From {'a bundle' if floor.source == 'bundle' else 'captures'} of "
            f"{counted(floor.pairs, 'pair')} on {counted(floor.distinct_inputs, 'distinct input')} "
            f"({floor.digest[:19]})"
            + ("" if distance is None else f"; mean |difference| of scores {plain(distance)}")
            + ". Judged is the shadow's share less the A/A share."
        ),
    )
