"""`analyzer run` as a contender: its command, its cache, and whether its verdict is the truth."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any

from tests.bench.measure import ROOT, Measured, measured

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.bench.load import Load, Truth

DECIDED = frozenset({0, 10, 20})
_MEAN = re.compile(r"mean \|difference\| (\S+),")
_SHOWN = 5e-4
"""Relative: the note shows four significant digits."""


class Failed(Exception):  # noqa: N818 - it is the benchmark that failed
    """A contender did not finish, or did not find what is there."""


@dataclass(frozen=True)
class Workspace:
    """Where one or more runs keep what they keep: cache, bundle, temporary files.

    Attributes:
        folder: fresh for a cold run.
        memory_limit: `--memory-limit`; None for the default.
    """

    folder: Path
    memory_limit: str | None = None

    def run(self, load: Load, *, grown: bool = False, cached: bool = True) -> Measured:
        """Run over a load; its bundle is in `bundle`, whether it finished in the exit code."""
        command = [sys.executable, "-m", "analyzer", "run", str(load.captures), "--quiet"]
        for metrics in load.metrics(grown=grown):
            command += ["--cloudwatch", str(metrics)]
        command += ["--out", str(self.bundle)]
        command += [] if cached else ["--no-cache"]
        command += ["--memory-limit", self.memory_limit] if self.memory_limit else []
        environment = {"XDG_CACHE_HOME": str(self.folder / "cache")}
        return measured(command, self.folder, environment)

    def decided(self, load: Load, *, grown: bool = False, cached: bool = True) -> Measured:
        """The same, for a run that must end with a verdict that is true.

        Raises:
            Failed: it ended otherwise.
        """
        done = self.run(load, grown=grown, cached=cached)
        if done.exit_code not in DECIDED:
            raise Failed(f"analyzer run ended with {done.exit_code}: {self.said}")
        self.check(load.grown if grown else load.day)
        return done

    def check(self, truth: Truth) -> None:
        """Compare the bundle with the truth.

        Raises:
            Failed: they differ.
        """
        body = json.loads((self.bundle / "verdict.json").read_bytes())
        require("analyzer run", found_by(body), expected_of(truth))

    @property
    def said(self) -> str:
        """What the last run wrote on stderr."""
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()

    def remove(self) -> None:
        """Leave nothing: a cache takes as much disk as it takes."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def bundle(self) -> Path:
        """What the last run wrote."""
        return self.folder / "bundle"

    @property
    def cache(self) -> Path:
        """Where parsed objects are kept."""
        return self.folder / "cache" / "shadow-analyzer"


def knows_no_cache() -> bool:
    """Whether this version keeps parsed objects, and so can be told not to."""
    command = [sys.executable, "-m", "analyzer", "run", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return "--no-cache" in shown.stdout


def found_by(verdict: Mapping[str, Any]) -> dict[str, float]:
    """What a verdict says of the captures, in the truth's words."""
    ledger, metrics = verdict["ledger"], verdict["metrics"]
    notes = (note["text"] for note in metrics["score_bias"]["notes"])
    mean = next(met[1] for text in notes if (met := _MEAN.match(text)))
    return {
        "lines": ledger["lines"],
        "size": verdict["inputs"]["bytes"] + ledger["lines"],
        "pairs": ledger["pairs"],
        "flips": round(metrics["flip_rate"]["effect"]["estimate"] * ledger["pairs"]),
        "mean_absolute_difference": float(mean),
    }


def expected_of(truth: Truth) -> dict[str, float]:
    """What everyone must find."""
    return {
        "lines": truth.lines,
        "size": truth.size,
        "pairs": truth.pairs,
        "flips": truth.flips,
        "mean_absolute_difference": truth.mean_absolute_difference,
    }


def require(who: str, found: Mapping[str, float], expected: Mapping[str, float]) -> None:
    """Everything that `found` names must be as expected.

    Raises:
        Failed: something is not.
    """
    for name, value in found.items():
        if not isclose(value, expected[name], rel_tol=_tolerance(who, name)):
            raise Failed(f"{who} found {name} = {value}; there are {expected[name]}")


def _tolerance(who: str, name: str) -> float:
    """Counts are exact; a mean is as exact as it is shown."""
    if name != "mean_absolute_difference":
        return 0.0
    return _SHOWN if who == "analyzer run" else 1e-9
