"""Inputs far larger than memory: the same bytes, or exit code 5 with advice, and nothing between.

The long suite says what it took: `python -m pytest tests/faults/test_little_memory.py --long`.
"""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.captures.capture_builders import stamp
from tests.faults.shadow_tests import PRODUCTION, SHADOW, object_path, put_object

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conftest import Say
    from tests.forked_runs import ForkedRuns

HOURS = 4
MEGABYTE = 1_000_000
LINE = (
    '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT",'
    '"data":"%s","encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv",'
    '"mode":"OUTPUT","data":"%.6f\\n","encoding":"CSV"}},"eventMetadata":{"eventId":"%s-%d",'
    '"inferenceId":%s,"inferenceTime":"%s"},"eventVersion":"0"}\n'
)


def put_pairs(folder: Path, pairs: int, *, with_ids: bool) -> int:
    """Captures of that many requests with forty inputs each; their bytes."""
    for variant in (PRODUCTION, SHADOW):
        rng = random.Random(1)
        for hour in range(HOURS):
            share = pairs // HOURS
            body = "".join(
                LINE
                % (
                    ",".join(f"{rng.random():.4f}" for _ in range(40)),
                    rng.random(),
                    variant,
                    hour * share + n,
                    json.dumps(f"request {hour * share + n}") if with_ids else "null",
                    stamp(3600 * hour + n * 3600 // share),
                )
                for n in range(share)
            )
            put_object(object_path(folder, variant, hour), body.encode())
    return sum(path.stat().st_size for path in folder.rglob("*.jsonl"))


def outcomes(
    forked: ForkedRuns, folder: Path, source: Path, limits_mb: Iterable[int]
) -> dict[int, int]:
    """Exit code by limit; checks what each run says and leaves."""
    temporary = folder / "tmp"
    temporary.mkdir()
    plain = folder / "plain"
    arguments = ["run", str(source), "--no-cache", "--quiet", "--out"]
    assert forked.run([*arguments, str(plain)], {}).code == 10
    expected = (plain / "verdict.json").read_bytes()
    codes = {}
    for limit in limits_mb:
        out = folder / f"out-{limit}"
        ended = forked.run(
            [*arguments, str(out), "--memory-limit", f"{limit}MB"], {"TMPDIR": temporary}
        )
        codes[limit] = ended.code
        found = (out / "verdict.json").read_bytes()
        if ended.code == 10:
            assert found == expected
            assert ended.said == ""
        else:
            assert ended.code == 5, ended
            assert ended.said.startswith("error: out of memory")
            assert "raise --memory-limit" in ended.said
            assert ended.said.count("\n") == 1
            assert json.loads(found)["decision"] == "ERROR"
        assert list(temporary.iterdir()) == []
    return codes


def test_a_run_larger_than_its_memory_gives_the_same_bytes_or_exit_code_5(
    forked: ForkedRuns, tmp_path: Path
) -> None:
    source = tmp_path / "captures"
    size = put_pairs(source, 24_000, with_ids=True)
    codes = outcomes(forked, tmp_path, source, (10, 24))
    assert size > 24 * MEGABYTE
    assert codes[10] == 5


@pytest.mark.long
@pytest.mark.parametrize("with_ids", [True, False])
def test_two_hundred_thousand_pairs_fit_into_less_memory_than_half_their_bytes(
    forked: ForkedRuns, tmp_path: Path, say: Say, *, with_ids: bool
) -> None:
    source = tmp_path / "captures"
    size = put_pairs(source, 200_000, with_ids=with_ids)
    started = time.perf_counter()
    codes = outcomes(forked, tmp_path, source, (16, 32, 48, 64, 80, 96, 112, 128, 160, 192))
    finished = [limit for limit, code in codes.items() if code == 10]
    say(
        f"200,000 pairs {'with' if with_ids else 'without'} inference IDs, "
        f"{size // MEGABYTE} MB: finished under {', '.join(f'{n}MB' for n in finished)}; exit "
        f"code 5 under the others of {len(codes)}; {time.perf_counter() - started:,.0f} s"
    )
    assert min(finished) * MEGABYTE < size / 2
