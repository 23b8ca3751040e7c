"""What a user would do instead, and what the machine could do at best; each run is one process.

    python tests/bench/contenders.py NAME PRODUCTION_FOLDER SHADOW_FOLDER

`scan` and `parse` are floors: every byte read, every line parsed. `notebook` and `pandas` answer
the question in the plainest way: join on the inference ID, mean |difference|, flips at 0.5 and the
q50, q90 and q99 of |difference|. The answer is one JSON object on stdout. A contender imports only
what it uses, so that its memory is its own.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = dict[str, Any]

_LABEL_AT = 0.5
_BUFFER_BYTES = 1 << 20


def scan(*folders: Path) -> Answer:
    """Every byte read, into one buffer."""
    buffer = bytearray(_BUFFER_BYTES)
    size = 0
    for path in _objects(*folders):
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                size += count
    return {"size": size}


def parse(*folders: Path) -> Answer:
    """Every line parsed by simdjson on one thread, and nothing made of it."""
    import simdjson

    parser = simdjson.Parser()
    lines = 0
    for path in _objects(*folders):
        for line in path.read_bytes().splitlines():
            parser.parse(line)
            lines += 1
    return {"lines": lines}


def notebook(production: Path, shadow: Path) -> Answer:
    """json.loads and dictionaries."""
    ours, theirs = _scores(production), _scores(shadow)
    pairs = [(score, theirs[name]) for name, score in ours.items() if name in theirs]
    differences = [abs(other - score) for score, other in pairs]
    cuts = statistics.quantiles(differences, n=100, method="inclusive")
    return {
        "pairs": len(pairs),
        "flips": sum((score >= _LABEL_AT) != (other >= _LABEL_AT) for score, other in pairs),
        "mean_absolute_difference": statistics.fmean(differences),
        "quantiles": [cuts[49], cuts[89], cuts[98]],
    }


def with_pandas(production: Path, shadow: Path) -> Answer:
    """read_json and merge."""
    import pandas as pd

    def scores(folder: Path) -> Any:  # noqa: ANN401 - pandas has no types of its own
        records = pd.concat(
            [pd.read_json(path, lines=True) for path in _objects(folder)], ignore_index=True
        )
        outputs = records["captureData"].str.get("endpointOutput").str.get("data")
        names = records["eventMetadata"].str.get("inferenceId")
        return pd.DataFrame({"inference_id": names, "score": outputs.astype(float)})

    pairs = scores(production).merge(
        scores(shadow), on="inference_id", suffixes=("_production", "_shadow")
    )
    ours, theirs = pairs["score_production"], pairs["score_shadow"]
    differences = (theirs - ours).abs()
    return {
        "pairs": len(pairs),
        "flips": int(((ours >= _LABEL_AT) != (theirs >= _LABEL_AT)).sum()),
        "mean_absolute_difference": float(differences.mean()),
        "quantiles": differences.quantile([0.5, 0.9, 0.99]).tolist(),
    }


def _scores(folder: Path) -> dict[str, float]:
    found = {}
    for path in _objects(folder):
        with path.open(encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                output = record["captureData"]["endpointOutput"]["data"]
                found[record["eventMetadata"]["inferenceId"]] = float(output)
    return found


def _objects(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.rglob("*.jsonl"))


CONTENDERS: dict[str, Callable[[Path, Path], Answer]] = {
    "scan": scan,
    "parse": parse,
    "notebook": notebook,
    "pandas": with_pandas,
}


if __name__ == "__main__":
    chosen, *given = sys.argv[1:]
    answered = CONTENDERS[chosen](*(Path(folder) for folder in given))
    sys.stdout.write(json.dumps(answered) + "\n")
