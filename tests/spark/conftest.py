"""The Spark session that the tests of a process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spark.sessions import ADAPTIVE, CLUSTER, end_shared, shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session", autouse=True)
def _ended_at_last() -> Iterator[None]:
    yield
    end_shared()


@pytest.fixture
def spark(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """A session that every run of the test uses, and leaves as it was.

    A plan is made once, which is half of Java's work for so few rows; with --long, in scenarios of
    three parts and where an executor is lost, it is changed on the way, as Spark does unless told.
    """
    yield from _looked_at(shared(), request)


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    """The same with executors in processes of their own, as on a cluster."""
    yield from _looked_at(shared(CLUSTER), request)


def _looked_at(started: SparkSession, request: pytest.FixtureRequest) -> Iterator[SparkSession]:
    started.conf.set(ADAPTIVE, "true" if request.config.getoption("--long") else "false")
    yield started
    kept = started.sparkContext._jsc.getPersistentRDDs()  # noqa: SLF001 - Java's own says it
    assert kept.isEmpty(), "a run has left rows in a session that stays"
