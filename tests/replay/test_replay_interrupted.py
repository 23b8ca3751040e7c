"""Replays that are killed, interrupted or refused the disk: nothing twice, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analyzer.errors import InputError, ResourceError, UsageError
from analyzer.replay import Replay
from analyzer.replay.journal import Journal, Outcome, Sent
from analyzer.replayed.warm_up import unfounded
from analyzer.report import text
from analyzer.report.content.replay_page import replay_page
from tests.examples import examples
from tests.forked_runs import analyzer, shared
from tests.replay.replays import (
    line,
    outputs,
    production_model,
    records,
    replayed,
    replayed_as,
    serving,
    sidecar_rows,
    write_captures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.replay.replays import Handler, ModelServer

REQUESTS = 150
KILLED = """
import os, sys
from analyzer.console.progress import silent
from analyzer.replay import Replay, replay, sending
from pathlib import Path
sending.Sender.run = lambda *_: os._exit(9)
replay(Replay(sys.argv[1], sys.argv[2], Path(sys.argv[3]), speed="max"), silent)
"""
CHILD = """
import sys
from analyzer.console.progress import silent
from analyzer.replay import Replay, replay
from pathlib import Path
replay(Replay(sys.argv[1], sys.argv[2], Path(sys.argv[3]), speed="max", concurrency=4), silent)
"""


def some_slow(handler: Handler, body: bytes) -> None:
    time.sleep(0.01)
    production_model(handler, body)


def started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for(server: ModelServer, count: int, child: subprocess.Popen[bytes]) -> None:
    while len(server.seen) < count and child.poll() is None:
        time.sleep(0.002)


def sent_ids(server: ModelServer) -> Counter[str]:
    return Counter(seen.headers["X-Amzn-SageMaker-Inference-Id"] for seen in server.seen)


def test_a_replay_killed_at_random_points_sends_nothing_twice_and_loses_nothing(
    tmp_path: Path,
) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(REQUESTS)])
    rng = random.Random(5)
    kills = 0
    with serving(some_slow) as server:
        for _ in range(examples(2, whole=4)):
            out = str(tmp_path / "out")
            child = started(sys.executable, "-c", CHILD, str(folder), server.url, out)
            wait_for(server, len(server.seen) + rng.randint(1, REQUESTS // 5), child)
            time.sleep(rng.random() / 50)
            child.kill()
            child.communicate()
            kills += child.returncode == -signal.SIGKILL
        summary = replayed(folder, tmp_path / "out", server.url, concurrency=4)
        assert max(sent_ids(server).values()) == 1
    assert kills
    one = summary.variants["candidate"]
    assert summary.state == "complete"
    assert one.sent == REQUESTS
    unfinished = one.errors.get("unfinished", 0)
    assert set(one.errors) <= {"unfinished"}
    assert unfinished <= 4 * kills
    assert one.usable + unfinished == REQUESTS
    rows = sidecar_rows(tmp_path / "out")
    assert rows["order"].to_list() == list(range(REQUESTS))
    assert 1 < rows["began_at"].n_unique() <= 5
    assert unfounded([rows]) == 0
    assert unfounded([rows.with_columns(began_at=pl.lit(0))]) > 0
    with serving(production_model) as server:
        replayed(folder, tmp_path / "whole", server.url)
    whole = outputs(tmp_path / "whole")
    written = outputs(tmp_path / "out")
    assert len(records(tmp_path / "out")) == len(written) == REQUESTS - unfinished
    assert written.items() <= whole.items()
    lost = set(rows.filter(rows["error_code"] == "unfinished")["event_id"])
    assert lost == whole.keys() - written.keys()


def test_an_interrupted_replay_leaves_a_capture_and_goes_on(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(REQUESTS)])
    out = tmp_path / "out"
    with serving(some_slow) as server:
        command = ["replay", str(folder), "--candidate", server.url, "--out", str(out)]
        command += ["--speed", "max", "--concurrency", "2"]
        child = shared().start(command, {})
        deadline = time.monotonic() + 60
        while len(server.seen) < 20 and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(child, signal.SIGINT)
        ended = shared().wait(child)
        assert ended.code == 130, ended.said
        assert ended.printed == ""
        assert ended.said.splitlines() == [
            f"note: {REQUESTS} requests to send at --speed max",
            f"note: what was answered is in {out}; the same command goes on",
            "error: interrupted",
        ]
        partial = outputs(out)
        assert 0 < len(partial) < REQUESTS
        assert len(sidecar_rows(out)) == len(partial)
        done = analyzer(*command, "--format", "json")
        assert done.returncode == 0, done.stderr
        assert max(sent_ids(server).values()) == 1
    assert json.loads(done.stdout)["variants"]["candidate"]["usable"] == REQUESTS
    assert partial.items() < outputs(out).items()
    again = analyzer(*command, "--format", "json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == json.loads(done.stdout) | {"again": True}


def test_what_was_under_way_when_a_replay_was_killed_is_unfinished(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(3)])
    out = tmp_path / "out"

    def dying(handler: Handler, body: bytes) -> None:
        child.kill()
        child.wait()
        production_model(handler, body)

    with serving(dying) as server:
        child = started(sys.executable, "-c", CHILD, str(folder), server.url, str(out))
        child.communicate()
    # One, or as many threads as had written that they were about to send.
    begun = (out / ".replay/journal").read_text().splitlines()
    assert 1 <= len(begun) <= 3
    with serving(production_model) as server:
        asked = json.loads((out / ".replay/plan.json").read_text())
        asked["asked"]["candidate"] = server.url
        (out / ".replay/plan.json").write_text(json.dumps(asked))
        summary = replayed(folder, out, server.url)
        assert len(server.seen) == 3 - len(begun)
    assert summary.variants["candidate"].errors == {"unfinished": len(begun)}
    rows = sidecar_rows(out)
    unknown = rows.filter(rows["error_code"] == "unfinished")
    assert unknown["done_at"].null_count() == unknown["status"].null_count() == len(begun)


def test_nothing_is_sent_that_a_closed_journal_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path) as journal:
        pass
    with pytest.raises(OSError, match="closed"):
        journal.sending(Sent(0, "candidate", 1, 2, 0, warm_up=False))
    journal.done(Outcome(0, "candidate", 2, 3, None, 200, "text/csv", None, None), b"late")
    assert path.read_bytes() == b""


def test_a_line_cut_short_is_taken_off_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    sent = Sent(0, "candidate", 1, 2, 0, warm_up=False)
    outcome = Outcome(0, "candidate", 2, 3, None, 200, "text/csv", None, None)
    with Journal(path) as journal:
        journal.sending(sent)
        whole = path.read_bytes()
        journal.done(outcome, b"x" * 10_000)
    complete = path.read_bytes()
    for length in (len(complete), len(complete) - 1, len(whole) + 1, len(whole), 3, 0):
        path.write_bytes(complete[:length])
        with Journal(path) as journal:
            index = journal.index(["candidate"], 1)["candidate"]
            assert index.begun.tolist() == ([0] if length >= len(whole) else [])
            assert (index.done[0] >= 0) == (length == len(complete))
            if length == len(complete):
                assert journal.entry(index, 0).body == b"x" * 10_000
            elif length >= len(whole):
                assert journal.entry(index, 0).outcome is None


def test_a_folder_of_another_replay_is_refused(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(3)])
    with serving(production_model) as server:
        replayed(folder, tmp_path / "out", server.url)
        with pytest.raises(UsageError, match="holds a replay with another speed: max"):
            replayed(folder, tmp_path / "out", server.url, speed="captured")
        other = Replay(str(folder), server.url, tmp_path / "out", speed="max", sample=2)
        with pytest.raises(UsageError, match="another sample: None"):
            replayed_as(other)
        assert len(server.seen) == 3


def test_two_replays_into_one_folder_do_not_run_at_the_same_time(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(3)])

    def second(handler: Handler, body: bytes) -> None:
        with pytest.raises(UsageError, match="another replay is running"):
            replayed(folder, tmp_path / "out", server.url)
        refused.append(True)
        production_model(handler, body)

    refused: list[bool] = []
    with serving(second) as server:
        summary = replayed(folder, tmp_path / "out", server.url, concurrency=1)
    assert refused == [True] * 3
    assert summary.variants["candidate"].usable == 3


def test_what_was_kept_to_go_on_is_gone_when_there_is_nothing_left_to_do(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(1)])
    with serving(production_model) as server:
        replayed(folder, tmp_path / "out", server.url)
    left = {path.name for path in (tmp_path / "out/.replay").iterdir()}
    assert left == {"lock", "plan.json", "complete.json"}
    assert (tmp_path / "out/.replay").stat().st_mode & 0o077 == 0


def test_a_full_disk_stops_a_replay_before_it_sends_what_it_cannot_write_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_captures(tmp_path / "captures", [line(n) for n in range(20)])
    out = tmp_path / "out"
    real = os.pwrite
    left = [9]

    def filling(file: int, data: bytes, offset: int) -> int:
        left[0] -= 1
        if left[0] == 0:
            return real(file, data[:5], offset)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data, offset)

    with serving(production_model) as server:
        monkeypatch.setattr(os, "pwrite", filling)
        with pytest.raises(ResourceError, match="No space left on device"):
            replayed(folder, out, server.url, concurrency=1)
        monkeypatch.undo()
        assert len(server.seen) == 4
        assert len(outputs(out)) == 4
        summary = replayed(folder, out, server.url)
        assert max(sent_ids(server).values()) == 1
    assert summary.variants["candidate"].usable == len(outputs(out)) == 20


def test_records_of_something_else_are_not_mixed_with_a_replays(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(1)])
    write_captures(tmp_path / "out", [line(2)], variant="candidate")
    with serving(production_model) as server:
        with pytest.raises(UsageError, match="not empty and not a replay; name another folder"):
            replayed(folder, tmp_path / "out", server.url)
        assert server.seen == []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, ModelServer]]:
    """Captures, what a replay left that was killed before it sent any, and its server."""
    folder = tmp_path_factory.mktemp("killed")
    captures = write_captures(folder / "captures", [line(n) for n in range(3)])
    with serving(production_model) as server:
        child = started(sys.executable, "-c", KILLED, str(captures), server.url, f"{folder}/out")
        child.communicate()
        yield captures, folder / "out", server


@pytest.mark.parametrize("name", ["plan.json", "journal", "complete.json"])
def test_a_damaged_folder_is_an_input_error_and_sends_nothing(
    killed: tuple[Path, Path, ModelServer], tmp_path: Path, name: str
) -> None:
    captures, left, server = killed
    out = shutil.copytree(left, tmp_path / "out")
    (out / ".replay" / name).write_text("{}\n")
    before = len(server.seen)
    with pytest.raises(InputError, match=f"{name}: is damaged"):
        replayed(captures, out, server.url)
    assert len(server.seen) == before


def test_a_replay_that_is_complete_says_that_it_sends_nothing(tmp_path: Path) -> None:
    captures = write_captures(tmp_path / "captures", [line(k) for k in range(40)])
    with serving(production_model) as server:
        asked = Replay(str(captures), server.url, tmp_path / "out", speed="max")
        first = replayed_as(asked)
        seen = len(server.seen)
    again = replayed_as(asked)  # nobody serves any more
    assert (first.again, again.again) == (False, True)
    assert len(server.seen) == seen
    shown = text.render(replay_page(again, "out", "analyzer")).plain
    assert "nothing was sent now; another --out replays again" in " ".join(shown.split())
    for folder in again.folders.values():
        shutil.rmtree(tmp_path / "out" / folder)
    with pytest.raises(InputError, match="are gone; name another folder"):
        replayed_as(asked)
