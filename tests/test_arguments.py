"""Arguments that nothing can be meant by end as a usage error that names the flag."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.cli import app
from analyzer.errors import UsageError
from analyzer.machine.memory_limit import memory_size
from analyzer.reading.window import asked_span

if TYPE_CHECKING:
    from pathlib import Path

LONG, LONGER, DIGITS = "a" * 300, "a/" * 2_500, "9" * 400


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands make folders where they are started."""
    monkeypatch.chdir(tmp_path)


def complaint(command: str) -> str:
    with pytest.raises(UsageError) as caught:
        app(shlex.split(command), standalone_mode=False)
    return str(caught.value)


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:01Z",
        "nan",
        "1e999",
        DIGITS,
        "\u0662\u0660\u0662\u0666-11-20",
        "",
        "2026-11-20\n",
    ],
)
@pytest.mark.parametrize("flag", ["--since", "--until"])
def test_a_time_that_is_none_names_its_flag(flag: str, time: str) -> None:
    ends = (time, None) if flag == "--since" else (None, time)
    with pytest.raises(UsageError, match=f"{flag} .*: expected"):
        asked_span(*ends)


def test_the_first_and_the_last_moment_of_the_calendar_that_counts_are_taken() -> None:
    start, end = asked_span("1970-01-01T05:00:00+05:00", "2200-01-01")
    assert (start, end) == asked_span("1970-01-01T00:00Z", "2199-12-31T19:00:00-05:00")


@pytest.mark.parametrize("size", [f"{DIGITS}GB", "999999999999999TB", "1e999GB", "infGB", "nan"])
def test_a_size_beyond_every_machine_is_none(size: str) -> None:
    with pytest.raises(UsageError, match="--memory-limit"):
        memory_size(size)


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (f"run captures --endpoint e --production {LONG}", "--production"),
        (f"run --endpoint e --shadow {LONG}", "--shadow"),
        (f"run captures --noise-floor {LONG}", "--noise-floor"),
        (f"run captures --cloudwatch a --cloudwatch production={LONG}", "--cloudwatch"),
        (f"run captures --labels {LONGER}", "--labels"),
        (f"run captures --out x/{LONG}", "--out"),
        (f"run {LONG}", "SOURCE"),
        (f"verdict {LONG}", "PATH"),
        (f"report bundle --html {LONG}", "--html"),
        (f"policy {LONG}", "PATH"),
        (f"diff bundle {LONGER}", "SECOND"),
        (f"promote {LONG} --endpoint e", "BUNDLE"),
        (f"replay captures --candidate http://127.0.0.1:9 --out {LONG}", "--out"),
    ],
)
def test_a_name_longer_than_any_is_refused_by_its_flag(command: str, flag: str) -> None:
    assert complaint(command).startswith(f"{flag}: ")
    assert len(complaint(command)) < 100


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("run ''", "an argument"),
        ("run captures --production ''", "--production"),
        ("run captures --endpoint-file=", "--endpoint-file"),
        ("doctor captures --since ''", "--since"),
        ("verdict ''", "an argument"),
        ("replay captures --candidate '' --out x", "--candidate"),
    ],
)
def test_an_empty_argument_is_neither_this_folder_nor_none(command: str, flag: str) -> None:
    assert complaint(command) == f"{flag} is empty; give a value, or leave it out"


def test_a_key_of_a_bucket_may_be_longer_than_a_file_name() -> None:
    url = f"s3://bucket/{LONG}/x"
    said = complaint(f"run {url} --no-sign-request --profile nobody-has-this-profile")
    assert "nobody-has-this-profile" in said


def test_an_argument_that_is_no_text_is_quoted_in_the_error_verdict(tmp_path: Path) -> None:
    command: list[str | bytes | Path] = [sys.executable, "-m", "analyzer", "run", "x"]
    command += ["--since", b"\xff", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "--since \\udcff: expected" in done.stderr
    assert "udcff" in (tmp_path / "verdict.json").read_text(encoding="utf-8")
