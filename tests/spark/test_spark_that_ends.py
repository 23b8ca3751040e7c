"""Spark that ends before a run does: apart, because it takes its session away from other tests."""

from __future__ import annotations

import pytest

from analyzer.errors import AccessError
from analyzer.spark.driver import SparkEngine, SparkPlan
from tests.spark.sessions import end_shared, require_spark


def asked_of_a_stopped_context() -> None:
    with SparkEngine(SparkPlan("local[1]"), None) as engine:
        engine.kept(engine.scattered([b"a"]))
        engine.session.sparkContext._jsc.sc().stop()  # noqa: SLF001
        engine.scattered([b"b"])


def test_spark_that_ends_during_a_run_is_an_access_error() -> None:
    require_spark()
    end_shared()
    with pytest.raises(AccessError, match="Spark ended during the run"):
        asked_of_a_stopped_context()
