"""A Spark session on this machine, or the reason why there is none."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import warnings
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

LOCAL = "local[2,4]"
CLUSTER = "local-cluster[2,1,1024]"
"""Two executors of one core, each a Java of its own; Spark tries a task four times here too."""
ADAPTIVE = "spark.sql.adaptive.enabled"
ROOT = Path(__file__).parents[2]
_LEFT_ALONE_S = 60.0  # a task does not outlive its executor by so much
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
        .config("spark.executor.extraJavaOptions", QUICK_JAVA[1])
        .config("spark.executorEnv.PYTHONPATH", _with_this(os.environ.get("PYTHONPATH")))
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
        application = built.sparkContext.applicationId
        built.stop()
        _forget_work(application)


def spark_home() -> Path:
    """Where PySpark keeps its Java, and a local cluster what its executors say."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _with_this(path: str | None) -> str:
    """Executors of a cluster are started elsewhere, and must find the same code."""
    return os.pathsep.join(filter(None, [str(ROOT), path]))


def _forget_work(application: str) -> None:
    work = spark_home() / "work"
    shutil.rmtree(work / application, ignore_errors=True)
    with suppress(OSError):  # there is none, or it is of others too
        work.rmdir()


def shared(master: str = LOCAL) -> SparkSession:
    """One that stays for the tests to come: Java and its Python processes take long to start.

    Args:
        master: of it; one that has another ends.
    """
    if _shared and _shared[0].sparkContext.master != master:
        end_shared()
    if not _shared:
        _shared.append(_open.enter_context(session(master)))
    return _shared[0]


def end_shared() -> None:
    """End the one that stays, if there is one; the next test that wants it starts another."""
    _shared.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sockets to Java live as long as it does
        _open.close()


def executor() -> int:
    """Of a task's process, the Java that started it by way of Python's daemon."""
    said = Path(f"/proc/{os.getppid()}/stat").read_text("utf-8", "replace")
    return int(said.rpartition(")")[2].split()[1])


def first_time_fatal(
    step: Callable[..., Iterator[Any]], mark: Path, victim: Callable[[], int] = os.getpid
) -> Callable[..., Iterator[Any]]:
    """The step of a task, in the middle of which a process is killed once; `mark` says that it was.

    Args:
        step: of `parts` or `beside`.
        mark: in a folder that may not be there yet.
        victim: the process, as the task names it; its own.
    """

    def taken(batches: Any, *args: Any) -> Iterator[Any]:  # noqa: ANN401 - Spark's
        for number, batch in enumerate(step(batches, *args)):
            if number == 1 and not mark.exists():
                mark.parent.mkdir(exist_ok=True)
                mark.touch()
                os.kill(victim(), signal.SIGKILL)
                time.sleep(_LEFT_ALONE_S)
            yield batch

    return taken
