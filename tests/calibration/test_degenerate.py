"""No spoiled shadow test is promoted, and the verdict names what is wrong with it."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.calibration.degenerate import KINDS, Degenerate, judged, promising

if TYPE_CHECKING:
    from pathlib import Path

IN_CI = len(KINDS)
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
def test_what_is_spoiled_was_promoted_before(sampling: float, tmp_path: Path) -> None:
    assert judged(promising(0, sampling=sampling).request(tmp_path)).decision == "PROMOTE"


@pytest.mark.parametrize("number", range(IN_CI), ids=lambda n: "+".join(Degenerate.of(n).kinds))
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
