"""What a run sees of a world at one look: the same `Facts` that `analyzer.analysis.run` judges.

In: a world and an hour -> the frame of CloudWatch points and the counts of the captures, cut at
that hour, as `--since` and `--until` cut them. Out: judging (`judging`).

The frame is what `cloudwatch.select` makes of exported metric rows. The captures are the facts that
`reading.read_captures` gives of a small folder of real records, with the world's own counts put in
the place of theirs: those counts are all that crosses from SQL to the verdict.
`test_the_same_world_on_disk` reads both from real files and finds the same verdict.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from analyzer.metrics import DEFAULTS, asked
from analyzer.metrics.metric import CaptureFacts, Facts
from analyzer.model import Inputs, Ledger, Mode, Pairing
from analyzer.policy.files import parse_policy
from analyzer.reading.captures import read_captures
from analyzer.reading.opening import EngineLimits
from analyzer.sources import discover
from tests.calibration.exported import ENDPOINT, START, VARIANTS, Series, series_of, write_records

if TYPE_CHECKING:
    from analyzer.policy import Policy
    from tests.calibration.worlds import World

_TEMPLATE_PAIRS = 40
_KEPT = ("prediction_shape", "pairing_facts")
"""Tables beside the counts that judged metrics and gates ask for; the others are only shown."""


def policy_of(body: dict[str, object]) -> Policy:
    """The policy of a run without labels."""
    return asked(parse_policy(body, DEFAULTS), labelled=False, replayed=False)


class Seen:
    """One world as runs see it, look by look; what does not change between looks is made once."""

    def __init__(self, world: World, policy: Policy) -> None:
        self.world = world
        self.policy = policy
        self._flipped = np.cumsum(world.flips)
        self._paired = np.cumsum(world.pairs)

    def at(self, hours: int) -> Facts:
        """The facts of a run over the first hours."""
        facts = replace(self._whole, end=START + timedelta(hours=hours))
        pairs, flips = int(self._paired[hours - 1]), int(self._flipped[hours - 1])
        captures = _captures(pairs, flips, self.world.setting.truth.repeats)
        hourly = {
            "hour": np.arange(hours),
            "predictions": self.world.pairs[:hours],
            "labelled": self.world.pairs[:hours],
            "flipped": self.world.flips[:hours],
        }
        captures = replace(
            captures, tables={**captures.tables, "prediction_hours": pa.table(hourly)}
        )
        facts = replace(facts, captures=captures, asked=(facts.start, facts.end))
        vars(facts)["metric_series"] = self._whole.metric_series  # split once, cut at every look
        return facts

    @cached_property
    def _whole(self) -> Facts:
        return Facts(
            policy=self.policy,
            mode=Mode.CLOUDWATCH,
            start=START,
            end=START + timedelta(hours=self.world.hours),
            metric_points=points(self.world),
            points_dropped={},
            points_endpoints=(ENDPOINT,),
            inputs=Inputs(digest=""),
            captures=None,
            endpoint=None,
        )


def points(world: World) -> pl.DataFrame:
    """The canonical frame, in the order and the units of `cloudwatch.select`."""
    found = sorted(series_of(world), key=lambda one: (one.role, one.metric, one.stat, one.period_s))
    frame = _frame(tuple(replace(one, values=np.empty(one.values.size)) for one in found))
    values = [one.values / 1000 if one.timed else one.values for one in found]
    filled = frame.with_columns(value=np.concatenate(values))
    return filled.filter(pl.col("value").is_not_nan())


_FRAMES: dict[tuple[object, ...], pl.DataFrame] = {}


def _frame(found: tuple[Series, ...]) -> pl.DataFrame:
    """Everything but the values: the same for every world of one length."""
    key = tuple((one.role, one.metric, one.stat, one.period_s, one.values.size) for one in found)
    if key not in _FRAMES:
        _FRAMES[key] = pl.concat([_columns(one) for one in found])
    return _FRAMES[key]


def _columns(one: Series) -> pl.DataFrame:
    second = int(START.timestamp()) + one.period_s * np.arange(one.values.size)
    return pl.DataFrame({"second": second}).select(
        role=pl.lit(one.role),
        endpoint=pl.lit(ENDPOINT),
        variant=pl.lit(VARIANTS[one.role]),
        namespace=pl.lit("AWS/SageMaker"),
        metric_name=pl.lit(one.metric),
        stat=pl.lit(one.stat),
        period_s=pl.lit(one.period_s, pl.Int64),
        timestamp=pl.from_epoch("second").dt.cast_time_unit("us").dt.replace_time_zone("UTC"),
        value=pl.lit(0.0),
        unit=pl.lit("ms" if one.timed else "count"),
    )


@cache
def _template() -> CaptureFacts:
    """What reading real records gives: every table the metrics may ask for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_records(folder, np.array([_TEMPLATE_PAIRS]), np.array([1]), repeats=1)
        listing = discover(str(folder))
        read = read_captures(
            listing,
            policy_of({}),
            (None, None),
            EngineLimits(use_cache=False),
            lambda *_, **__: None,
        )
    return read.facts


def _captures(pairs: int, flips: int, repeats: int) -> CaptureFacts:
    """The template with the counts of a look; every input comes `repeats` times."""
    template = _template()
    (row,) = template.tables["prediction_counts"].to_pylist()
    above = pairs // 2
    changed: dict[str, Any] = {
        "flipped": flips,
        "large_shifted": 0,
        "changed_pairs": 0,
        "production_at_or_above": above,
        "production_below": pairs - above,
        "shadow_at_or_above": above,
        "one_answer_large": above,
    }
    outcomes = ("pairs", "judged_pairs", "answered_pairs", "mismatched_pairs", "predictions")
    changed |= dict.fromkeys((*outcomes, "labelled", "measured", "shifted"), pairs)
    squares = ("judged_squares", "answered_squares", "prediction_squares")
    changed |= dict.fromkeys(squares, float(pairs * repeats))
    counts = pa.Table.from_pylist([{**row, **changed}])
    return replace(
        template,
        ledger=Ledger(lines=2 * pairs, pairs=pairs),
        pairing=Pairing(by_inference_id=pairs, rate=1.0, distinct_inputs=pairs // repeats),
        production_records=pairs,
        shadow_records=pairs,
        tables={name: template.tables[name] for name in _KEPT} | {"prediction_counts": counts},
    )
