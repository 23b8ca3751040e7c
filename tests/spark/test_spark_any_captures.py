"""Captures of any kind give the bundle of one machine on Spark, byte for byte.

The long suite has 204 shadow tests, twelve of each kind:
`python -m pytest tests/spark/test_spark_any_captures.py --long`.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer import analysis, bundle
from analyzer.console.progress import silent
from analyzer.errors import AnalyzerError
from analyzer.spark.driver import SparkPlan
from tests.spark.any_captures import KINDS, any_captures, seeded

if TYPE_CHECKING:
    from tests.conftest import Say
    from tests.spark.any_captures import Captured

pytestmark = [
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PARTS = st.integers(1, 7)
SHARED_ID = 160
"""Of which seed all requests but two have one inference ID, or none."""
ANY_TIME = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)


def bundled(found: Captured, folder: Path, plan: SparkPlan | None) -> dict[str, bytes]:
    """Every file of the bundle; of a run that cannot go on, why."""
    request = analysis.Request(
        source=str(folder / "captures"),
        overrides=found.overrides,
        since=found.since,
        until=found.until,
        use_cache=False,
        spark=plan,
    )
    try:
        judged = analysis.run(request, silent)
    except AnalyzerError as error:
        return {"error": f"{error.exit_code} {error.code} {error}".encode()}
    out = folder / ("spark" if plan else "here")
    bundle.write(out, judged.verdict, {}, judged.tables)
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }


def check(found: Captured, partitions: int, seen: Counter[str]) -> None:
    """Judge the same captures here and in so many parts, and count what they came to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found.put(folder / "captures")
        here = bundled(found, folder, None)
        there = bundled(found, folder, SparkPlan(partitions=partitions))
    for name in ("error", "verdict.json"):
        assert there.get(name, b"").decode() == here.get(name, b"").decode()
    assert [name for name in here if there.get(name) != here[name]] == []
    assert there.keys() == here.keys()
    seen.update(here.keys())


def test_some_captures_of_one_inference_id_give_the_same_bundle() -> None:
    """Scores in slices, and records that all but two share an ID: of any kind with --long."""
    seen: Counter[str] = Counter()
    check(seeded("score", SHARED_ID, 60), 2, seen)
    assert seen["verdict.json"] == 1


@pytest.mark.long
@settings(ANY_TIME, max_examples=4)
@given(any_captures(list(KINDS)), st.integers(1, 3))
def test_captures_of_any_kind_give_the_same_bundle(found: Captured, partitions: int) -> None:
    check(found, partitions, Counter())


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_a_dozen_captures_of_each_kind_give_the_same_bundle(kind: str, say: Say) -> None:
    seen: Counter[str] = Counter()

    @settings(ANY_TIME, max_examples=12)
    @given(any_captures([kind]), PARTS)
    def each(found: Captured, partitions: int) -> None:
        check(found, partitions, seen)

    each()
    say(
        f"{kind}: {seen['verdict.json']} bundles and {seen['error']} errors alike here and on Spark"
    )
    assert seen["verdict.json"] >= 6
