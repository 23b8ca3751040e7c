"""Instance metrics inform; they never judge."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from analyzer.model import Outcome
from tests.metrics.points import START, assess, facts_of, shadow_test


def with_metric(name: str, production: float, shadow: float) -> pl.DataFrame:
    points = shadow_test(0.5).points()
    is_shadow = pl.col("role") == "shadow"
    level = pl.when(is_shadow).then(pl.lit(float(shadow))).otherwise(float(production))
    extra = points.filter(pl.col("stat") == "Average").with_columns(
        metric_name=pl.lit(name), value=level
    )
    return pl.concat([points, extra])


def test_utilisation_is_a_ratio_without_a_judgement() -> None:
    facts = facts_of(with_metric("CPUUtilization", 40, 60), end=START + timedelta(days=0.5))
    item = assess(facts, "cpu_utilization")
    assert item.outcome is Outcome.INFO
    assert item.effect is not None
    assert item.effect.estimate == pytest.approx(1.5)
    assert (item.production, item.shadow) == (40, 60)


@pytest.mark.parametrize(("shadow", "noted"), [(70, False), (80, True)])
def test_a_full_disk_is_noted_as_capture_loss(shadow: float, *, noted: bool) -> None:
    facts = facts_of(with_metric("DiskUtilization", 20, shadow), end=START + timedelta(days=0.5))
    codes = [note.code for note in assess(facts, "disk_utilization").notes]
    assert ("disk-capture-loss" in codes) == noted
