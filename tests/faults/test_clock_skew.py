"""A shadow whose clock is wrong: IDs pair, production's time decides the window, and it is said."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.model import Verdict
from tests.faults.shadow_tests import SAMPLE_DATA, aged, scenario

if TYPE_CHECKING:
    from pathlib import Path

_TIME = re.compile(rb'"inferenceTime": ?"([^"]+)"')


def judged(folder: Path, since: str, until: str) -> Verdict:
    request = analysis.Request(
        source=str(folder / "captures"),
        cloudwatch=(str(folder / "cloudwatch"),),
        policy_file=folder / "policy.toml",
        use_cache=False,
        since=since,
        until=until,
    )
    return analysis.run(request, silent).verdict


def shift_shadow(folder: Path, seconds: int) -> int:
    """Move every time of the shadow's captures; how many."""
    moved = 0

    def later(match: re.Match[bytes]) -> bytes:
        nonlocal moved
        moved += 1
        at = datetime.fromisoformat(match[1].decode()) + timedelta(seconds=seconds)
        return b'"inferenceTime":"%s"' % at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()

    for path in (folder / "captures").rglob("*.jsonl*"):
        if "shadow" in str(path.relative_to(folder)).lower():
            body = path.read_bytes()
            if path.suffix == ".gz":
                path.write_bytes(gzip.compress(_TIME.sub(later, gzip.decompress(body))))
            else:
                path.write_bytes(_TIME.sub(later, body))
            aged(path)
    return moved


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("thin_sample", -1_800),
        ("thin_sample", 30),
        ("slow_tail", 1_800),
        pytest.param("promote", -1_800, marks=pytest.mark.long),
        pytest.param("promote", 30, marks=pytest.mark.long),
    ],
)
def test_a_shadow_clock_that_is_wrong_changes_no_evidence(
    tmp_path: Path, name: str, seconds: int
) -> None:
    folder = scenario(name, tmp_path / name)
    # What a run of the scenario as it is says: tests/test_golden.py.
    golden = (SAMPLE_DATA / name / "expected_verdict.json").read_bytes()
    before = Verdict.model_validate_json(golden)
    assert before.pairing.by_payload == 0
    assert before.window is not None
    assert shift_shadow(folder, seconds) >= before.ledger.pairs
    after = judged(folder, before.window.start, before.window.end)
    assert (after.decision, after.ledger.pairs) == (before.decision, before.ledger.pairs)
    metrics = [json.loads(verdict.to_json())["metrics"] for verdict in (before, after)]
    assert metrics[0] == metrics[1]
    said = [note.text for note in after.notes if note.code == "clock-skew"]
    assert len(said) == (abs(seconds) >= 60)
    for text in said:
        assert f"{'after' if seconds > 0 else 'before'} production's" in text
        assert "1 800 s" in text
