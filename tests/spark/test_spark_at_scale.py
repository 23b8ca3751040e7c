"""One huge object a side, and one ID or one input a million times: the same bytes in little memory.

The long suite says what its processes took: `python -m pytest tests/spark/test_spark_at_scale.py
--long`.
"""

from __future__ import annotations

import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.spark import looked_at
from tests.captures.capture_builders import stamp
from tests.faults.shadow_tests import PRODUCTION, SHADOW, contents, object_path, put_object
from tests.spark.sessions import require_spark

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Say

pytestmark = pytest.mark.long
REQUESTS = 1_000_000
MEGABYTE = 1_000_000
LINE = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",'
    '"data":"%s,%s","encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv",'
    '"mode":"OUTPUT","data":"%.6f\\n","encoding":"CSV"}},"eventMetadata":{"eventId":"%s",'
    '"inferenceId":"%s","inferenceTime":"%s"},"eventVersion":"0"}\n'
)


@dataclass(frozen=True)
class Skew:
    """What a million lines of an object share.

    Attributes:
        told: what begins the input of a request, its event ID and its inference ID.
        cells: of the input beside that.
        least_mb: of the object.
        most_mb: of any process that runs tasks, their table engines having 256 MB.
    """

    told: Callable[[str, int], tuple[object, str, str]]
    cells: int
    least_mb: int
    most_mb: int


SKEWS = {
    "nothing": Skew(lambda side, n: (n, f"{side} {n}", f"request {n}"), 120, 1_100, 800),
    "one inference ID": Skew(lambda side, n: (n, f"{side} {n}", "one for all"), 40, 600, 1_100),
    "one inference ID and input": Skew(
        lambda side, n: ("one", f"{side} {n}", "one for all"), 40, 600, 1_100
    ),
    "one event ID": Skew(lambda _, n: (n, "one for all", f"request {n}"), 40, 600, 800),
}


def put_object_of_a_million(folder: Path, side: str, skew: Skew) -> int:
    """One capture object; its bytes."""
    rng = random.Random(side)
    fillers = [",".join(f"{rng.random():.4f}" for _ in range(skew.cells)) for _ in range(1_000)]
    path = put_object(object_path(folder, side, 0), b"")
    with path.open("w", encoding="utf-8") as file:
        for n in range(REQUESTS):
            begins, event, name = skew.told(side, n)
            filler = fillers[0 if begins == "one" else n % len(fillers)]
            at = stamp(n * 3_600 // REQUESTS)
            file.write(LINE % (begins, filler, rng.random(), event, name, at))
    return path.stat().st_size


@pytest.mark.parametrize("shared", SKEWS)
def test_a_million_lines_in_one_object_give_the_same_bundle_in_little_memory(
    shared: str, say: Say
) -> None:
    require_spark()
    skew = SKEWS[shared]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = [put_object_of_a_million(folder, side, skew) for side in (PRODUCTION, SHADOW)]
        command = [sys.executable, "-m", "analyzer", "run", str(folder / "endpoint"), "--no-cache"]
        command += ["--quiet", "--fail-on", "never", "--memory-limit", "256MB", "--out"]
        here, _ = looked_at([*command, str(folder / "here")], folder / "of here")
        spark = ["--engine", "spark", "--master", "local[2]"]
        there, code = looked_at([*command, str(folder / "there"), *spark], folder / "of there")
        assert code == 0, (folder / "of there" / "stderr").read_text("utf-8")[-2_000:]
        assert contents(folder / "there") == contents(folder / "here")
    say(
        f"a million lines that share {shared} in an object of {min(sizes) // MEGABYTE} MB a side: "
        f"on Spark {there.wall_s:,.0f} s, {there.peaks['task'] // MEGABYTE} MB a process of tasks; "
        f"here {here.wall_s:,.0f} s, {here.peaks['driver'] // MEGABYTE} MB"
    )
    assert min(sizes) > skew.least_mb * MEGABYTE
    assert 0 < there.peaks["task"] < skew.most_mb * MEGABYTE
