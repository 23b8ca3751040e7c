"""What lies in the folder of a benchmark's load, and what any correct reading of it counts.

Nothing here needs numpy: a process that measures others stays smaller than what it measures.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FORMAT = 1
"""Raised when other bytes are written for the same arguments."""
SEED = 7
ENDPOINT = "churn"
PRODUCTION, SHADOW = "AllTraffic", "Shadow-01"
LABEL_AT = 0.5


@dataclass(frozen=True)
class Truth:
    """What any correct reading of some objects counts.

    Attributes:
        size: bytes of the objects, newlines included.
        flips: pairs with one score at or above 0.5 and the other below.
        absolute_difference: sum of |shadow - production| over the pairs.
    """

    objects: int = 0
    lines: int = 0
    size: int = 0
    pairs: int = 0
    flips: int = 0
    absolute_difference: float = 0.0

    @property
    def mean_absolute_difference(self) -> float:
        """Mean of |shadow - production| over the pairs."""
        return self.absolute_difference / self.pairs

    @classmethod
    def total(cls, parts: Iterable[Truth]) -> Truth:
        """The truth of all objects of several truths together."""
        met = list(parts)
        return cls(
            objects=sum(part.objects for part in met),
            lines=sum(part.lines for part in met),
            size=sum(part.size for part in met),
            pairs=sum(part.pairs for part in met),
            flips=sum(part.flips for part in met),
            absolute_difference=math.fsum(part.absolute_difference for part in met),
        )


@dataclass(frozen=True)
class Load:
    """What lies in a folder.

    Attributes:
        day, grown: the truth of `captures/`, and of it with `later/captures/` added.
    """

    folder: Path
    day: Truth
    grown: Truth

    @property
    def captures(self) -> Path:
        """What `analyzer run` takes as SOURCE."""
        return self.folder / "captures"

    def metrics(self, *, grown: bool = False) -> tuple[Path, ...]:
        """What it takes as --cloudwatch."""
        day = (self.folder / "metrics",)
        return (*day, self.folder / "later" / "metrics") if grown else day

    def variants(self) -> tuple[Path, Path]:
        """The folders of production's and of the shadow's objects."""
        return self.captures / ENDPOINT / PRODUCTION, self.captures / ENDPOINT / SHADOW

    def grow(self) -> None:
        """Let the later objects appear among the others, as links with their own times."""
        for later, place in self._later():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(later)

    def shrink(self) -> None:
        """Take the later objects out again; nothing happens where there are none."""
        for _, place in self._later():
            place.unlink(missing_ok=True)

    def _later(self) -> Iterator[tuple[Path, Path]]:
        later = self.folder / "later" / "captures"
        for path in sorted(later.rglob("*.jsonl")):
            yield path, self.captures / path.relative_to(later)


def load_name(pairs: int, objects: int) -> str:
    """The folder of a load among others, such as `1m-400`."""
    millions, rest = divmod(pairs, 1_000_000)
    return f"{pairs if rest or not millions else f'{millions}m'}-{objects}"


def asked(pairs: int, objects: int, seed: int) -> dict[str, int]:
    """What makes one load differ from another."""
    return {"format": FORMAT, "pairs": pairs, "objects": objects, "seed": seed}


def read(folder: Path, pairs: int, objects: int, seed: int = SEED) -> Load | None:
    """The load in a folder; None where there is none.

    Raises:
        ValueError: the folder holds something else.
    """
    if not folder.exists():
        return None
    try:
        body = json.loads((folder / "load.json").read_bytes())
    except FileNotFoundError:
        raise ValueError(f"{folder}: exists, and is no load") from None
    if body["asked"] != asked(pairs, objects, seed):
        raise ValueError(f"{folder}: holds another load: {body['asked']}")
    return Load(folder, Truth(**body["day"]), Truth(**body["grown"]))
