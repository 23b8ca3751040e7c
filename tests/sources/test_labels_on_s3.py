"""Labels below an S3 prefix say what they say in a folder, on two unrelated servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from tests.labels.labels_builders import Asked, capture, fates, outcomes, truth

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.conftest import Storage


@pytest.mark.parametrize(
    "bucket",
    ["moto_bucket", pytest.param("local_bucket", marks=pytest.mark.long)],
    indirect=True,
)
def test_labels_of_a_prefix_are_read(bucket: Storage, tmp_path: Path) -> None:
    requests = [Asked("yes", "no" if k % 4 else "yes", f"r{k}") for k in range(40)]
    lines = [truth(f"r{k}", "yes") for k in range(39)]
    bucket.put(
        {
            "truth/2026/11/20/07/a.jsonl": "".join(lines[:20]).encode(),
            "truth/2026/11/21/07/b.jsonl": "".join(lines[20:]).encode(),
            "truth/_SUCCESS": b"done",
            "elsewhere/c.jsonl": truth("r39", "no").encode(),
        }
    )
    request = analysis.Request(
        source=str(capture(tmp_path, requests)), labels=bucket.at("truth"), aws=bucket.aws
    )
    done = analysis.run(request, silent)
    assert fates(done) == {"label.matched": 39, "label.paired": 39, "label.missing": 1}
    assert outcomes(done)["right", "wrong"] == 29
    assert outcomes(done)["right", "right"] == 10
