"""The Spark session that the tests of a process share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spark.sessions import ADAPTIVE, end_shared, shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session", autouse=True)
def _ended_at_last() -> Iterator[None]:
    yield
    end_shared()


@pytest.fixture
def spark(request: pytest.FixtureRequest) -> SparkSession:
    """A session that every run of the test uses.

    A plan is made once, which is half of Java's work for so few rows; with --long, and in scenarios
    of three parts, it is changed on the way, as Spark does unless it is told.
    """
    started = shared()
    started.conf.set(ADAPTIVE, "true" if request.config.getoption("--long") else "false")
    return started
