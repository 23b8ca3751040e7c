"""A bundle is whole or absent, and any altered file is found."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import bundle
from analyzer.errors import InputError, UsageError
from analyzer.model import (
    Decision,
    Inputs,
    Ledger,
    Mode,
    Pairing,
    PolicyRecord,
    Subject,
    Tool,
    Verdict,
)
from analyzer.out_folder import claim
from tests.examples import examples
from tests.forked_runs import analyzer

TABLES = {"minutes": pl.DataFrame({"timestamp": [1, 2], "production": [1.0, None]})}


def verdict(decision: Decision = Decision.HOLD) -> Verdict:
    return Verdict(
        tool=Tool(name="shadow-analyzer", version="0"),
        decision=decision,
        exit_code=10,
        summary="s",
        reasons=(),
        subject=Subject(
            endpoint="e",
            production_variant="p",
            shadow_variant="s",
            change="model",
            mode=Mode.CLOUDWATCH,
        ),
        window=None,
        inputs=Inputs(digest="sha256:0"),
        policy=PolicyRecord(digest="sha256:0"),
        ledger=Ledger(),
        pairing=Pairing(),
        gates={},
        metrics={},
    )


def written(folder: Path) -> Path:
    out = folder / "out"
    claim(out)
    bundle.write(out, verdict(), {"summary.md": "summary\n"}, TABLES)
    return out


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    read = bundle.read(written(tmp_path))
    assert read.verdict == verdict()
    assert read.table_names == ("minutes",)
    assert read.tables["minutes"].equals(TABLES["minutes"])
    assert read.table("nothing") is None


def test_nothing_is_left_beside_the_bundle(tmp_path: Path) -> None:
    out = written(tmp_path)
    bundle.write(out, verdict(), {"summary.md": "again\n"}, TABLES)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "summary.md").read_text() == "again\n"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle as a run writes it, every file in it."""
    out = tmp_path_factory.mktemp("whole") / "out"
    folder = Path(__file__).parents[1] / "sample_data" / "thin_sample"
    files = (folder / "captures", "--cloudwatch", folder / "cloudwatch")
    assert analyzer("run", *files, "--no-cache", "--out", out).returncode == 10
    return out


def test_a_bundle_holds_what_was_promised(whole: Path) -> None:
    present = {path.relative_to(whole).as_posix() for path in whole.iterdir()}
    promised = {"verdict.json", "summary.md", "report.html", "junit.xml", "tables", "manifest.json"}
    assert promised <= present
    assert bundle.examine(whole).decision is Decision.HOLD


@given(data=st.data())
@settings(max_examples=examples(5, whole=60), deadline=None)
def test_any_changed_byte_of_any_file_is_found(whole: Path, data: st.DataObject) -> None:
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    for file in files:
        before = file.read_bytes()
        position = data.draw(st.integers(0, len(before) - 1), label=file.name)
        changed = bytearray(before)
        changed[position] ^= data.draw(st.integers(1, 255), label="bits")
        file.write_bytes(changed)
        try:
            with pytest.raises(InputError):
                bundle.examine(whole)
        finally:
            file.write_bytes(before)
    bundle.examine(whole)


def test_every_byte_of_a_manifest_has_one_value(tmp_path: Path) -> None:
    """Nothing else vouches for the manifest, so that each of its bytes is tried.

    One of every kind of file is enough: a run's own manifest says the same of more files.
    """
    out = written(tmp_path)
    manifest = out / "manifest.json"
    before = manifest.read_bytes()
    for position, byte in enumerate(before):
        for other in {byte ^ 1, byte ^ 32, ord(" "), ord("\n")} - {byte}:
            changed = bytearray(before)
            changed[position] = other
            manifest.write_bytes(changed)
            with pytest.raises(InputError):
                bundle.read(out)
    manifest.write_bytes(before)
    bundle.read(out)


def test_a_verdict_sealed_again_after_an_edit_is_held_against_its_evidence(tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "sample_data" / "slow_tail" / "expected_verdict.json"
    rejected = Verdict.model_validate_json(golden.read_bytes())
    turned = rejected.model_copy(update={"decision": Decision.PROMOTE, "exit_code": 0})
    bundle.write(tmp_path / "out[1]", turned, {}, TABLES)
    assert bundle.read(tmp_path / "out[1]").verdict == turned
    for path in (tmp_path / "out[1]", tmp_path / "out[1]" / "verdict.json"):
        with pytest.raises(InputError, match="the decision is PROMOTE, but the evidence says"):
            bundle.examine(path)


def test_a_verdict_named_by_its_file_is_held_against_the_bundle_around_it(tmp_path: Path) -> None:
    out = written(tmp_path)
    (out / "summary.md").write_text("PROMOTE\n")
    with pytest.raises(InputError, match=r"summary\.md was altered"):
        bundle.examine(out / "verdict.json")


def test_a_file_added_or_removed_is_found(tmp_path: Path) -> None:
    out = written(tmp_path)
    (out / "extra.txt").write_text("x")
    with pytest.raises(InputError, match=r"extra\.txt was added"):
        bundle.read(out)
    (out / "extra.txt").unlink()
    (out / "summary.md").unlink()
    with pytest.raises(InputError, match=r"summary\.md was removed"):
        bundle.read(out)


def test_a_claimed_folder_holds_no_stale_verdict(tmp_path: Path) -> None:
    out = written(tmp_path)
    claim(out)
    assert not (out / "verdict.json").exists()
    with pytest.raises(InputError):
        bundle.read(out)


def test_a_folder_of_something_else_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for other in ("manifest.json", "verdict.json", "summary.md"):
        (tmp_path / other).write_text("{}")
    with pytest.raises(UsageError, match="not empty and not a bundle"):
        claim(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        claim(tmp_path / "thesis.tex")


def test_a_file_put_beside_a_verdict_is_never_lost(tmp_path: Path) -> None:
    out = written(tmp_path)
    (out / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="not empty and not a bundle"):
        claim(out)
    assert (out / "verdict.json").exists()


def test_the_present_folder_can_be_the_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "here"
    out.mkdir()
    monkeypatch.chdir(out)
    claim(Path())
    bundle.write(Path(), verdict(), {"summary.md": "summary\n"}, TABLES)
    monkeypatch.chdir(tmp_path)
    assert bundle.read(out).verdict == verdict()
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema_version": "2.0"}, "schema_version 2.0"),
        ({"schema_version": None}, "schema_version"),
        ({"decision": "MAYBE"}, "decision"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_foreign_verdict_is_refused(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "verdict.json"
    path.write_text(json.dumps({**json.loads(verdict().to_json()), **change}))
    with pytest.raises(InputError, match=complaint):
        bundle.read_verdict(path)


def test_a_newer_minor_version_is_read_and_its_new_keys_ignored(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    body = {**json.loads(verdict().to_json()), "schema_version": "1.9", "surprise": 1}
    path.write_text(json.dumps(body))
    assert bundle.read_verdict(path).decision is Decision.HOLD


DEEP = pytest.param(b"[" * 100_000, id="deep-nesting")
HUGE = pytest.param(b"1" * 5_000, id="huge-number")


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{}", b'"x"', b"NaN", DEEP, HUGE])
def test_rubbish_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "verdict.json"
    path.write_bytes(content)
    with pytest.raises(InputError):
        bundle.read_verdict(path)


def test_every_verdict_meets_its_published_schema() -> None:
    schema = json.loads(bundle.verdict_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(verdict().to_json()), schema)


def test_the_shipped_schema_is_that_of_the_types() -> None:
    shipped = files("analyzer").joinpath("verdict.schema.json").read_text(encoding="utf-8")
    assert shipped == bundle.verdict_schema()


def test_an_error_edited_to_exit_0_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    failed = verdict(Decision.ERROR).model_copy(update={"exit_code": 3})
    path.write_text(failed.to_json(), encoding="utf-8")
    assert bundle.examine(path).exit_code == 3
    path.write_text(failed.model_copy(update={"exit_code": 0}).to_json(), encoding="utf-8")
    with pytest.raises(InputError, match="not that of an error"):
        bundle.examine(path)


def test_a_file_beside_a_verdict_is_not_taken_for_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    bundle.write(out, verdict(), {"summary.md": "PROMOTE\n"}, TABLES)
    with pytest.raises(InputError, match="not JSON"):
        bundle.examine(out / "summary.md")
    with pytest.raises(InputError, match="is a file"):
        bundle.read(out / "summary.md")
