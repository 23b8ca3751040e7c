"""What lies in capture buckets and is not read: known by its name, and named in turn.

In: keys. Out: reading. A format that is not SageMaker's capture format is never parsed by guess;
whoever points at one is told what it is and what to give instead.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from analyzer.figures import counted
from analyzer.model import Note

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

UNSUPPORTED: dict[str, tuple[str, str]] = {
    "hyperpod-alb": (
        "HyperPod's load balancer access logs (alb/)",
        "give HyperPod's sme/ folder, which is in SageMaker's capture format",
    ),
    "hyperpod-pod": (
        "HyperPod's pod records (pod/), whose format AWS does not document,",
        "give HyperPod's sme/ folder, which is in SageMaker's capture format",
    ),
    "parquet": (
        "Parquet files",
        "give the JSON Lines that data capture wrote",
    ),
    "model-monitor": (
        "reports of Model Monitor",
        "give the folder that data capture writes to, not the monitor's output",
    ),
    "cloudwatch-logs": (
        "exported CloudWatch logs, which hold no captured request,",
        "give the folder that data capture writes to; exported metrics go to --cloudwatch",
    ),
    "async-output": (
        "outputs of asynchronous inference, which do not name their inputs,",
        "give the folder that data capture writes to",
    ),
    "batch-output": (
        "outputs of a batch transform without its manifests",
        "give the DestinationS3Uri of the job's DataCaptureConfig, which holds input/ and output/",
    ),
}
"""Code an object is skipped under -> what it is, what to do instead."""

_LEFT_OUT: dict[str, tuple[str, str]] = {
    "not-jsonl": (
        "objects of another kind than JSON Lines",
        "where they are captures, name them *.jsonl or *.jsonl.gz",
    ),
    "hidden": (
        "objects whose name, or a folder's above it, begins with a dot or an underscore",
        "where they are captures, rename them, or name their folder",
    ),
    "outside-layout": (
        "objects outside SageMaker's capture folders",
        "where they are captures, give the folder of each variant with --production and --shadow",
    ),
    "not-a-file": (
        "pipes, devices and folders named as capture files",
        "where they hold captures, give files",
    ),
}
"""The same of what may be anything; an error has its own words for these."""

HYPERPOD_FOLDERS = frozenset({"alb", "pod"})
_HASH = re.compile(r"[0-9a-f]{8,128}")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_BY_NAME: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("parquet", re.compile(r".*\.(?:parquet|parq)")),
    ("model-monitor", re.compile(r"(?:statistics|constraints|constraints?_violations)\.json")),
    ("cloudwatch-logs", re.compile(r"aws-logs-write-test|[0-9]{6}\.gz")),
    ("async-output", re.compile(rf"{_UUID}(?:-error)?\.out")),
    ("batch-output", re.compile(r".*\.out")),
)
_OWN_SIDECARS = frozenset({"replay.parquet"})


def unsupported(name: str) -> str | None:
    """The code of the format a file name belongs to; None when it belongs to none.

    >>> unsupported("part-00000.snappy.parquet"), unsupported("000000.gz"), unsupported("x.csv")
    ('parquet', 'cloudwatch-logs', None)
    """
    lower = name.lower()
    if lower in _OWN_SIDECARS:
        return None
    return next((code for code, pattern in _BY_NAME if pattern.fullmatch(lower)), None)


def hyperpod(folders: Sequence[str], named: Collection[str | None]) -> str | None:
    """The code of what lies in `{hash}/alb/` or `{hash}/pod/`, unless a variant has that name.

    >>> hyperpod(["captures", "4f2c9a1b", "alb", "AWSLogs"], set())
    'hyperpod-alb'
    >>> hyperpod(["captures", "4f2c9a1b", "sme"], set())
    """
    for above, folder in pairwise(folders):
        if folder in HYPERPOD_FOLDERS and folder not in named and _HASH.fullmatch(above):
            return f"hyperpod-{folder}"
    return None


def sentences(skipped: Mapping[str, int]) -> str:
    """For an error: what the skipped objects are and what to do; starts with a separator."""
    return "".join(f". {text}" for _, text in _told(skipped, UNSUPPORTED))


def notes(skipped: Mapping[str, int]) -> tuple[Note, ...]:
    """For a run that goes on without them."""
    told = _told(skipped, UNSUPPORTED | _LEFT_OUT)
    return tuple(Note(code=code, text=text) for code, text in told)


def _told(
    skipped: Mapping[str, int], named: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    for code, (what, advice) in named.items():
        if skipped.get(code):
            count = counted(skipped[code], "object")
            yield code, f"{what[0].upper()}{what[1:]} are not read ({count}): {advice}"
