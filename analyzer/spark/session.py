"""The session with Spark: the one there is, or one that is started and ended for a run.

In: a master. Out: what is asked of Spark (`driver`). Java's own messages go to a file that nobody
sees, from which an error quotes why it did not start: stderr is the command's.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import warnings
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from analyzer.errors import AccessError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark import SparkConf
    from pyspark.sql import SparkSession

LOCAL = "local[*,4]"
"""This machine's cores, and four tries of a task as on a cluster."""
UNREACHABLE = "spark-unreachable"
QUICK_JAVA = ("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
"""Java only moves pieces of files here: compiling it well takes longer than is ever won back."""
_PIECES_AT_ONCE = 32
_BATCH_ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch"
_SUBMITTED = "PYSPARK_GATEWAY_PORT"  # spark-submit has started Java already
_ANSWER_S = 10
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HOSTS = re.compile(r"spark://([^:,/]+|\[[^]]+\]):\d+(,([^:,/]+|\[[^]]+\]):\d+)*")
_MASTER = re.compile(
    r"local(\[(\*|\d+)(,\d+)?\])?|local-cluster\[[\d, ]+\]|yarn|k8s://.+|" + _HOSTS.pattern
)

_USUAL = ("WARNING:", "Using Spark's default", "Setting default log level")
_COMPLAINTS = (
    re.compile(r"\bReason: (.+)"),
    re.compile(r" ERROR \w+: (.+)"),
    re.compile(r"(?:Exception in thread \S+ )?(.*(?:Exception|Error):.*)"),
    re.compile(r"(.+)"),
)


def checked(master: str) -> None:
    """Refuse what is no master's URL, before Java is started for it.

    Raises:
        UsageError: it is none.
    """
    if not _MASTER.fullmatch(master):
        known = "local[*], spark://HOST:PORT, yarn or k8s://https://HOST:PORT"
        raise UsageError(f"--master {master}: no master of Spark; expected {known}")


@contextmanager
def opened(master: str | None) -> Iterator[SparkSession]:
    """The session there is, which stays open; else one for this run.

    Raises:
        UsageError: PySpark or Java is missing.
        AccessError: the master does not answer.
    """
    with warnings.catch_warnings():
        # which pandas PySpark has not been tried with; none is used here
        warnings.filterwarnings("ignore", "PySpark does not yet fully support", FutureWarning)
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise UsageError(
                "--engine spark needs PySpark and Java 17: pip install 'shadow-analyzer[spark]'"
            ) from None
        active = SparkSession.getActiveSession()
        session = active or _started(master)
        # rows are pieces of a mebibyte: a batch of Spark's usual size would be ten gigabytes
        usual = session.conf.get(_BATCH_ROWS)
        session.conf.set(_BATCH_ROWS, str(_PIECES_AT_ONCE))
        try:
            yield session
        finally:
            if active is None:
                session.stop()
            else:
                session.conf.set(_BATCH_ROWS, str(usual))


def stopped(error: BaseException) -> bool:
    """Whether an error says that Spark is no longer there, as after its master was lost."""
    from py4j.protocol import Py4JError

    return isinstance(error, Py4JError) and "stopped SparkContext" in str(error)


def _started(master: str | None) -> SparkSession:
    from py4j.protocol import Py4JError
    from pyspark import SparkConf
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # Py4J says each broken connection there, which is what an interrupted run leaves behind.
    logging.getLogger("py4j").addHandler(logging.NullHandler())
    conf = SparkConf().setAppName("shadow-analyzer").set("spark.ui.showConsoleProgress", "false")
    if master or _SUBMITTED not in os.environ:
        conf.setMaster(master or LOCAL)
        if (master or LOCAL).startswith("local"):
            conf.set(*QUICK_JAVA)
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        _require_answer(master or LOCAL)
    with tempfile.TemporaryFile() as said, _own_interrupt():
        try:
            _start_java(conf, said)
            session = SparkSession.builder.config(conf=conf).getOrCreate()
            session.sparkContext.setLogLevel("ERROR")
        except (PySparkException, OSError) as error:
            why = f"Spark did not start: {_quoted(said) or error}; it needs Java 17"
            raise UsageError(f"--engine spark: {why}") from None
        except Py4JError as error:
            why = _quoted(said) or str(error).partition("\n")[0]
            _forget_stopped()
            what = "cannot reach Spark's master" if master else "Spark did not start on"
            raise AccessError(f"{what} {master or LOCAL}: {why}", code=UNREACHABLE) from None
    return session


def _start_java(conf: SparkConf, said: IO[bytes]) -> None:
    """Start Java with its messages going to `said`, unless it runs already.

    PySpark's builder starts it just so, but with stderr; what it calls has no public name.
    """
    from pyspark import SparkContext
    from pyspark.java_gateway import launch_gateway

    if not SparkContext._gateway and _SUBMITTED not in os.environ:  # noqa: SLF001
        with _signals_held():
            gateway = launch_gateway(conf, {"stderr": said})
        SparkContext._ensure_initialized(gateway=gateway)  # noqa: SLF001


def _forget_stopped() -> None:
    """A context that failed as it started would be what the next run is given."""
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:  # noqa: SLF001
        SparkContext._active_spark_context.stop()  # noqa: SLF001


def _require_answer(master: str) -> None:
    """Ask whether anybody listens there: Spark itself asks for a minute, at length.

    Raises:
        AccessError: nobody does.
    """
    if not _HOSTS.fullmatch(master):
        return
    why = ""
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
        except OSError as error:
            why = error.strerror or str(error)
        else:
            return
    raise AccessError(f"cannot reach Spark's master {master}: {why}", code=UNREACHABLE)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Put signals off for the seconds Java needs: PySpark would leave it behind, half started."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS if _in_main_thread()}
    for number in before:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if came:
            signal.raise_signal(came[0])


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Keep the handler of SIGINT that there is: a new context puts PySpark's own in its place."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if _in_main_thread():
            signal.signal(signal.SIGINT, handler or signal.SIG_DFL)


def _in_main_thread() -> bool:
    """Where alone Python lets handlers be set."""
    return threading.current_thread() is threading.main_thread()


def _quoted(said: IO[bytes]) -> str:
    """Of Java's messages the reason it gives, else its first complaint, else its first line."""
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith(_USUAL)]
    for pattern in _COMPLAINTS:
        found = next(filter(None, map(pattern.search, lines)), None)
        if found is not None:
            return found[1]
    return ""
