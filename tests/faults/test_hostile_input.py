"""Captures, names and policies written by somebody who means harm: they are data and stay data."""

from __future__ import annotations

import ast
import base64
import io
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import PolicyError
from analyzer.sources import lines as source_lines
from tests.captures.capture_builders import line
from tests.faults.shadow_tests import (
    PRODUCTION,
    SHADOW,
    contents,
    object_path,
    put_hours,
    put_object,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model import Verdict

ROOT = Path(__file__).parents[2]


def judged(source: Path, *policy: str, use_cache: bool = True) -> Verdict:
    request = analysis.Request(source=str(source), overrides=policy, use_cache=use_cache)
    return analysis.run(request, silent).verdict


# Bombs.


def bomb(text: bytes, members: int) -> bytes:
    """A gzip object of many members, each 64 MiB of one text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = text * ((1 << 20) // len(text))
    member = b"".join(packer.compress(block) for _ in range(64)) + packer.flush()
    return member * members


@pytest.mark.parametrize(
    "text", [b"\0", *(pytest.param(t, marks=pytest.mark.long) for t in (b"0", b"{}"))]
)
def test_ten_megabytes_that_would_become_ten_gigabytes_are_stopped_on_the_way(
    tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = put_hours(tmp_path, [0, 1])
    body = bomb(text, 150)
    put_object(object_path(source, SHADOW, 1).with_name("bomb.jsonl.gz"), body)
    unpacked = 0
    feed = source_lines.LineCutter.feed

    def counted(cutter: source_lines.LineCutter, block: bytes) -> object:
        nonlocal unpacked
        unpacked += len(block)
        return feed(cutter, block)

    monkeypatch.setattr(source_lines.LineCutter, "feed", counted)
    verdict = judged(source)
    assert verdict.inputs.objects_failed == {"gzip-bomb": 1}
    assert verdict.decision.value == "HOLD"
    assert verdict.gates["objects"].closed
    assert verdict.ledger.pairs == 24
    assert 150 * (64 << 20) > 10_000_000_000 > 1000 * unpacked / 100
    assert unpacked < 2 * source_lines.RATIO_FLOOR_BYTES


# Pickles.


class Canary:
    """Would write a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.write_text, (self.path, "it ran")


def test_a_pickle_in_captured_outputs_never_runs(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    held = io.BytesIO()
    np.save(held, np.array([Canary(canary)], dtype=object), allow_pickle=True)
    pickled = held.getvalue()
    np.load(io.BytesIO(pickled), allow_pickle=True)
    assert canary.exists()
    canary.unlink()
    source = tmp_path / "captures"
    for variant in (PRODUCTION, SHADOW):
        lines = [
            line(n, output=base64.b64encode(body).decode(), payload=f"{n}", inference_id=f"{n}")
            .replace(b'"CSV"', b'"BASE64"')
            .replace(b"text/csv", b"application/x-npy")
            for n, body in enumerate([pickled, pickled[pickled.index(b"\n") + 1 :]] * 20)
        ]
        put_object(object_path(source, variant, 0), b"\n".join(lines))
    assert judged(source).ledger.pairs == 40
    assert not canary.exists()


# SQL in names and values.

SQL = [
    "'; copy (select 1) to '{}'; --",
    '"); copy (select 1) to "{}"; --',
    "$production",
    "v2') union all select * from read_text('{}') --",
    "'||(select content from read_text('{}'))||'",
    "%s {{}} {{0}} \\",
    "/* */ \n ; attach '{}'",
]


def put_named(source: Path, shown: str, given: str) -> Path:
    """Captures with a text in every value, and in every name as far as a disk takes it."""
    for variant in (PRODUCTION, f"{SHADOW} {shown}"):
        lines = [
            line(n, output=f"{given} {n % 2}", payload=given, inference_id=f"{given} {n}")
            .replace(b'"text/csv"', json.dumps(given).encode())
            .replace(b'"eventVersion"', json.dumps(given).encode())
            for n in range(30)
        ]
        folder = source / shown / variant / "2026/03/01/00"
        put_object(folder / f"{shown}.jsonl", b"\n".join(lines))
    return source


@pytest.fixture(scope="module")
def of_plain_names(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    """What is said where nobody means harm."""
    source = put_named(tmp_path_factory.mktemp("plain") / "source", "plain", "plain")
    return judged(source, use_cache=False)


@pytest.mark.parametrize(
    "text",
    [*SQL[:2], SQL[3], SQL[6], *(pytest.param(SQL[n], marks=pytest.mark.long) for n in (2, 4, 5))],
)
def test_sql_in_every_name_and_value_changes_no_file_and_no_count(
    tmp_path: Path, of_plain_names: Verdict, text: str
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched", encoding="utf-8")
    hostile = text.replace("{}", str(canary)) if "{}" in text else text
    name = hostile.replace("/", "\u2044")[:120]
    source = put_named(tmp_path / "source", name, hostile)
    before = contents(tmp_path)
    verdict = judged(source)
    assert contents(tmp_path) == before
    assert verdict.subject.shadow_variant == f"{SHADOW} {name}"
    assert verdict.ledger == of_plain_names.ledger
    assert verdict.decision == of_plain_names.decision
    assert canary.read_text(encoding="utf-8") == "untouched"


@pytest.fixture(scope="module")
def an_hour(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Captures that nobody changes, and a cache for what they are parsed into."""
    home = tmp_path_factory.mktemp("hour")
    return put_hours(home / "captures", [0]), home / "cache"


@pytest.mark.parametrize("text", [*SQL, "(a+)+$", "predictions[*].score') --"])
def test_a_path_in_the_policy_is_a_path_or_refused(
    tmp_path: Path, an_hour: tuple[Path, Path], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    source, cache = an_hour
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    asked = f"predictions.path={json.dumps(text.replace('{}', str(canary)))}"
    try:
        verdict = judged(source, asked)
    except PolicyError:
        pass
    else:
        assert verdict.ledger.pairs == 12
    assert not canary.exists()


# Patterns.


def patterns(tree: ast.AST) -> list[ast.expr]:
    """The pattern of every call into `re`."""
    return [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr != "escape"
    ]


def data_in(pattern: ast.expr) -> set[str]:
    """Names in a pattern that are neither constants nor escaped."""
    if isinstance(pattern, ast.Call) and ast.unparse(pattern.func) == "re.escape":
        return set()
    if isinstance(pattern, ast.Name):
        return set() if pattern.id.isupper() or pattern.id == "sorted" else {pattern.id}
    return {
        name
        for child in ast.iter_child_nodes(pattern)
        if isinstance(child, ast.expr)
        for name in data_in(child)
    }


def test_every_pattern_is_written_here_and_none_is_read() -> None:
    """A pattern from a policy or a payload could take for ever; the table engine's cannot (RE2)."""
    found = 0
    for path in [*(ROOT / "analyzer").rglob("*.py"), *(ROOT / "app").rglob("*.py")]:
        for pattern in patterns(ast.parse(path.read_text(encoding="utf-8"))):
            found += 1
            assert not data_in(pattern), f"{path.name}: {ast.unparse(pattern)}"
    assert found > 20
    (bad,) = patterns(ast.parse("re.compile(f'^{rule.pattern}$')"))
    assert data_in(bad) == {"rule"}


def test_the_current_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from it or written to it by accident: the table engine would."""
    source = put_hours(tmp_path / "captures", [0])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("records", "lines", "pairs", "production_files"):
        (elsewhere / f"{name}.csv").write_text("a,b\n1,2\n", encoding="utf-8")
        (elsewhere / f"{name}.parquet").write_bytes(b"PAR1")
    before = contents(elsewhere)
    monkeypatch.chdir(elsewhere)
    assert judged(source).ledger.pairs == 12
    assert contents(elsewhere) == before
