"""A Spark session on this machine, or the reason why there is none."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import warnings
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

LOCAL = "local[2,4]"
ADAPTIVE = "spark.sql.adaptive.enabled"
_open = ExitStack()
_shared: list[SparkSession] = []


def require_spark() -> None:
    """Skip the test where PySpark or Java is missing; fail where REQUIRE_SPARK=1 says it is not."""
    lacking = [] if find_spec("pyspark") else ["PySpark (the extra `spark`)"]
    lacking += [] if shutil.which("java") else ["Java"]
    if not lacking:
        return
    why = f"no {' and no '.join(lacking)}"
    if os.environ.get("REQUIRE_SPARK") == "1":
        pytest.fail(f"REQUIRE_SPARK=1 and {why}")
    pytest.skip(why)


@contextmanager
def session(master: str = LOCAL) -> Iterator[SparkSession]:
    """One that every run inside the block uses."""
    require_spark()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PySpark's own, about the pandas that it does not use
        from pyspark.sql import SparkSession

    from analyzer.spark.session import QUICK_JAVA

    os.environ["PYSPARK_PYTHON"] = sys.executable
    built = (
        SparkSession.builder.master(master)
        .config(*QUICK_JAVA)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        # plans of a hundred runs, each told at length, would fill its memory
        .config("spark.sql.ui.retainedExecutions", "1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        built.sparkContext.setLogLevel("OFF")
        yield built
    finally:
        built.stop()


def shared() -> SparkSession:
    """One that stays for the tests to come: Java and its Python processes take long to start."""
    if not _shared:
        _shared.append(_open.enter_context(session()))
    return _shared[0]


def end_shared() -> None:
    """End the one that stays, if there is one; the next test that wants it starts another."""
    _shared.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sockets to Java live as long as it does
        _open.close()


def first_time_fatal(
    step: Callable[..., Iterator[Any]], mark: Path
) -> Callable[..., Iterator[Any]]:
    """The step of a task, whose process is killed in the middle once; `mark` says that it was."""

    def taken(batches: Any, *args: Any) -> Iterator[Any]:  # noqa: ANN401 - Spark's
        for number, batch in enumerate(step(batches, *args)):
            if number == 1 and not mark.exists():
                mark.parent.mkdir(exist_ok=True)
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    return taken
