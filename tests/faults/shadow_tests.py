"""Small shadow tests on disk, old enough to be cached, and the tool started on them as users do."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import bundle
from analyzer.model import Verdict
from tests.captures.capture_builders import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
LONG_AGO_S = 1_793_491_200  # 2026-11-01: any clock that runs these tests is past it
PRODUCTION, SHADOW = "v1", "v2-shadow"


def hour_lines(hour: int, variant: str, requests: int = 12) -> list[bytes]:
    """One hour's capture lines of a variant; the shadow answers a little higher."""
    step = 3600 // requests
    score = 0.25 if variant == PRODUCTION else 0.26
    return [
        line(
            3600 * hour + step * n,
            output=f"{score + n / 100:.4f}\n",
            payload=f"{hour},{n}",
            inference_id=f"request {hour}-{n}",
            event_id=f"{variant} {hour}-{n}",
        )
        for n in range(requests)
    ]


def put_object(path: Path, body: bytes) -> Path:
    """A capture file that nobody has touched for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return aged(path)


def aged(path: Path) -> Path:
    os.utime(path, (LONG_AGO_S, LONG_AGO_S))
    return path


def object_path(folder: Path, variant: str, hour: int) -> Path:
    return folder / "endpoint" / variant / f"2026/03/01/{hour:02}" / "00-00-000-a.jsonl"


def put_hours(folder: Path, hours: Iterable[int], requests: int = 12) -> Path:
    """One object an hour and variant, each with a broken line and a blank one."""
    for hour in hours:
        for variant in (PRODUCTION, SHADOW):
            lines = [*hour_lines(hour, variant, requests), b'{"captureData": {', b""]
            put_object(object_path(folder, variant, hour), b"".join(b"%s\n" % t for t in lines))
    return folder


def scenario(name: str, target: Path) -> Path:
    """A copy of a sample scenario whose files are long ago's."""
    shutil.copytree(SAMPLE_DATA / name, target)
    for path in target.rglob("*"):
        if path.is_file():
            aged(path)
    return target


def put_promotion(out: Path) -> Path:
    """The bundle of a run that promoted, without its tables."""
    golden = (SAMPLE_DATA / "promote" / "expected_verdict.json").read_bytes()
    verdict = Verdict.model_validate_json(golden)
    assert verdict.decision.value == "PROMOTE"
    bundle.write(out, verdict, {}, {})
    return out


@cache
def read_only_scenario(name: str) -> Path:
    """One copy for all tests that only read it; captures of this minute would be worth a note."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return scenario(name, folder / name)


def command(folder: Path, out: Path, *extra: str | Path) -> list[str]:
    """`analyzer run` on a scenario."""
    parts = ["run", folder / "captures", "--cloudwatch", folder / "cloudwatch"]
    parts += ["--policy", folder / "policy.toml", "--out", out, "--quiet", *extra]
    return [sys.executable, "-m", "analyzer", *map(str, parts)]


def surroundings(cache: Path, **more: str | Path) -> Mapping[str, str]:
    """The environment of a run with a cache of its own."""
    given = {name: str(value) for name, value in more.items()}
    return {**os.environ, "XDG_CACHE_HOME": str(cache), **given}


def finished(arguments: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, env=env, capture_output=True, text=True, check=False, timeout=600
    )


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with a digest of what it holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
