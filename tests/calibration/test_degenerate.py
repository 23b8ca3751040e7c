"""No spoiled shadow test is promoted, and the verdict names what is wrong with it."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.calibration.degenerate import KINDS, Degenerate, judged, promising

if TYPE_CHECKING:
    from pathlib import Path

TOGETHER = (
    ("swapped", "no ModelLatency Average"),
    ("same objects", "one payload", "no ModelLatency p99"),
    ("same answers", "short", "deployed"),
    ("thin", "other form", "no Invocation5XXErrors"),
    ("malformed", "dead shadow", "no InvocationsPerInstance"),
    ("other requests", "absent shadow", "no Invocation4XXErrors"),
    ("tiny", "failing shadow"),
)
"""Kinds of which none hides another: what each is named for keeps from PROMOTE by itself."""
ALONE = tuple((kind,) for kind in KINDS if not any(kind in kinds for kinds in TOGETHER))
IN_TURN = len(KINDS)
"""Each kind once, every third in company."""
ALL = 1_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where captures lie that are as they were, and what was read of them."""
    return tmp_path_factory.mktemp("kept")


def wrong(bucket: Degenerate, folder: Path, kept: Path | None = None) -> str | None:
    """What is wrong with a verdict; None when it holds, rejects or refuses for the right reason."""
    found = bucket.judged(folder, kept)
    shutil.rmtree(folder)  # ten megabytes each
    if found.decision == "PROMOTE":
        return f"{bucket.number} {bucket.kinds}: promoted"
    if not found.codes & bucket.codes:
        return f"{bucket.number} {bucket.kinds}: {found.decision}, {sorted(found.codes)}"
    return None


@pytest.mark.parametrize("sampling", [1.0, 0.8])
def test_what_is_spoiled_was_promoted_before(
    sampling: float, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept / "cache"))
    request = promising(0, sampling=sampling).request(tmp_path, kept / f"0-{sampling}")
    assert judged(request).decision == "PROMOTE"


@pytest.mark.parametrize("kinds", [*TOGETHER, *ALONE], ids="+".join)
def test_whatever_spoils_a_test_is_named_and_it_is_not_promoted(
    kinds: tuple[str, ...], tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept / "cache"))
    found = Degenerate(0, kinds).judged(tmp_path, kept)
    assert found.decision != "PROMOTE"
    assert [kind for kind in kinds if not found.codes & KINDS[kind].codes] == []


@pytest.mark.long
@pytest.mark.parametrize("number", range(IN_TURN), ids=lambda n: "+".join(Degenerate.of(n).kinds))
def test_a_spoiled_test_is_not_promoted_and_the_reason_is_named(
    number: int, tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept / "cache"))
    assert wrong(Degenerate.of(number), tmp_path, kept) is None


@pytest.mark.long
def test_a_thousand_spoiled_tests_are_not_promoted_and_the_reasons_are_named(
    tmp_path: Path,
) -> None:
    made = Counter(kind for number in range(ALL) for kind in Degenerate.of(number).kinds)
    assert set(made) == set(KINDS)
    found = (wrong(Degenerate.of(number), tmp_path / str(number)) for number in range(ALL))
    assert [text for text in found if text] == []
