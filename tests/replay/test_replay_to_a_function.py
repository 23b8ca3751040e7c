"""Replays to a function: what it is given, and what becomes of all it may return or raise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.errors import UsageError
from analyzer.replay.requests import read_request
from analyzer.replay.targets import Target, open_target
from analyzer.replay.targets.function import Function
from analyzer.sources import AwsOptions
from tests.replay.replays import line, outputs, replayed, write_captures

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
import sys
def model(body, content_type, accept):
    print("noise on stdout")
    return f"0.{body.decode().partition(',')[0]}\\n", "text/csv; charset=utf-8"
def echo(body, content_type, accept):
    return f"{content_type}|{accept}"
def number(body, content_type, accept):
    return 0.5
def broken(body, content_type, accept):
    raise ValueError(f"cannot read {body}")
def leaving(body, content_type, accept):
    sys.exit(3)
def request_only(request):
    return b"0.5"
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model_of_mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "model_of_mine", raising=False)


def answered(name: str) -> tuple[int | None, str | None, bytes, str | None]:
    function = Function(f"model_of_mine:{name}", "--candidate")
    answer = function.send(read_request(line(1).encode()))
    return answer.status, answer.error_code, answer.body, answer.error_text


def test_a_function_of_the_current_folder_is_replayed_to(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", [line(number) for number in range(20)])
    summary = replayed(folder, tmp_path / "out", "python:model_of_mine:model")
    assert summary.variants["candidate"].usable == 20
    assert sorted(outputs(tmp_path / "out").values()) == sorted(f"0.{n}\n" for n in range(20))


def test_a_function_is_given_what_was_sent_and_wanted() -> None:
    assert answered("echo") == (200, None, b"text/csv|text/csv", None)


def test_what_a_function_raises_is_its_outcome_and_quotes_nothing() -> None:
    assert answered("broken") == (None, "raised", b"", "ValueError")
    assert answered("leaving") == (None, "raised", b"", "SystemExit")


def test_a_function_that_takes_something_else_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(UsageError, match=r"FUNCTION\(body, content_type, accept\): too many"):
        Function("model_of_mine:request_only", "--candidate")


def test_what_is_no_body_is_an_outcome() -> None:
    assert answered("number") == (None, "bad-answer", b"", "returned float, not bytes or str")


def opened(text: str) -> Target:
    return open_target(text, "--candidate", aws=AwsOptions(), connections=1, allow_insecure=False)


def test_a_module_that_exits_while_it_is_imported_is_no_function(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exits_at_once.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot be imported: SystemExit"):
        opened("python:exits_at_once:predict")


@pytest.mark.parametrize("path", ["/é", "/a b"])
def test_a_path_that_no_request_line_can_hold_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError, match=r"encode them|URL"):
        opened(f"http://127.0.0.1:9{path}")
