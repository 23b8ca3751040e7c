"""`analyzer doctor` on a folder and on nothing: what it says, and the code it ends with."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from analyzer import cli
from analyzer.console.progress import silent
from analyzer.doctor import diagnosing as doctor
from analyzer.doctor.diagnosis import Diagnosis, Question
from analyzer.errors import ExitCode, UsageError
from analyzer.report import text
from analyzer.report.content.doctor_page import doctor_page
from analyzer.sources import AwsOptions, discover, local, open_chunks
from analyzer.sources.access import START_BYTES
from analyzer.sources.objects import ObjectError
from tests.here import here
from tests.sources.batch_jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

RECORD = (
    b'{"captureData":{"endpointInput":{"data":"1","encoding":"CSV"}},'
    b'"eventMetadata":{"eventId":"a","inferenceTime":"2026-10-05T00:00:00Z"}}\n'
)
NOISE = b"".join(sha256(bytes([number])).digest() for number in range(256)) * 12
HOURS = [f"2026/10/05/{hour:02}" for hour in range(3)]
KEYS = [
    f"churn/{variant}/{hour}/a.jsonl" for variant in ("AllTraffic", "Shadow-01") for hour in HOURS
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in KEYS:
        path = tmp_path / key
        path.parent.mkdir(parents=True)
        path.write_bytes(RECORD)
    return tmp_path


def states(diagnosis: Diagnosis) -> dict[str, str]:
    return {one.name: one.state for one in diagnosis.permissions}


def said(diagnosis: Diagnosis) -> str:
    return text.render(doctor_page(diagnosis), requests=True).plain


def test_a_folder_is_looked_at_without_aws(folder: Path) -> None:
    diagnosis = doctor.examine(Question(str(folder)), silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert (diagnosis.who, diagnosis.policy, diagnosis.regions) == (None, None, {})
    assert states(diagnosis) == {"read permission": "granted"}
    reads = diagnosis.reads
    assert reads is not None
    assert [(side.role, side.variant, side.objects, side.hours) for side in reads.sides] == [
        ("production", "AllTraffic", 3, 3),
        ("shadow", "Shadow-01", 3, 3),
    ]
    assert reads.sides[0].first_hour == datetime(2026, 10, 5, 0, tzinfo=UTC)
    assert reads.sides[0].last_hour == datetime(2026, 10, 5, 2, tzinfo=UTC)
    assert "READY  A run would read 6 objects (810 B)." in said(diagnosis)


def test_what_it_says_would_be_read_is_what_a_run_reads(folder: Path) -> None:
    (folder / "churn/notes.txt").write_text("x", encoding="utf-8")
    (folder / f"churn/AllTraffic/{HOURS[0]}/empty.jsonl").touch()
    reads = doctor.examine(Question(str(folder)), silent).reads
    found = discover(str(folder))
    assert reads is not None
    assert reads.listed == found.listed == 8
    assert reads.skipped == found.skipped == {"empty": 1, "not-jsonl": 1}
    assert sum(side.size_bytes for side in reads.sides) == found.size
    assert sum(side.objects for side in reads.sides) == len(list(open_chunks(found)))


def test_a_file_that_may_not_be_read_is_an_access_problem(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise ObjectError("unreadable", "Permission denied")

    monkeypatch.setattr(local, "read", refuse)
    diagnosis = doctor.examine(Question(str(folder)), silent)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert states(diagnosis) == {"read permission": "missing"}
    assert "read permission is missing for 4 of 4 objects tried: read churn/" in said(diagnosis)


def test_nothing_to_read_is_exit_code_3(tmp_path: Path) -> None:
    diagnosis = doctor.examine(Question(str(tmp_path)), silent)
    assert diagnosis.exit_code == ExitCode.INPUT
    assert "no captures found" in said(diagnosis)


def test_nothing_skipped_is_said_without_a_blank_at_its_end(folder: Path) -> None:
    assert "skipped: nothing\n" in said(doctor.examine(Question(str(folder)), silent))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (NOISE, "malformed.invalid-utf8"),
        (gzip.compress(NOISE), "malformed.invalid-utf8"),
        (gzip.compress(RECORD * 99)[:50], "corrupt-gzip"),
        (b"PAR1 and rows", "parquet"),
        (b'{"id": 1}\n' * 200_000, "not_capture"),
        (b"\n\n", "all blank"),
    ],
    ids=["noise", "gzip of noise", "half a gzip", "Parquet", "other JSON Lines", "blank lines"],
)
def test_captures_that_begin_with_no_record_are_not_ready(
    folder: Path, body: bytes, why: str
) -> None:
    for key in KEYS[3:]:
        (folder / key).write_bytes(body)
    diagnosis = doctor.examine(Question(str(folder)), silent)
    assert diagnosis.exit_code == ExitCode.INPUT
    (problem,) = diagnosis.problems
    first, last = KEYS[3], KEYS[5]
    begins = f"shadow: no capture record in the first lines of {first} and {last}: "
    assert problem.text.startswith(begins)
    assert why in problem.text
    assert said(diagnosis).rstrip().endswith(f"NOT READY  {problem.text}")
    assert said(diagnosis).count(begins) == 1


def test_both_variants_without_records_are_two_problems_each_said_once(folder: Path) -> None:
    for key in KEYS:
        (folder / key).write_bytes(NOISE)
    diagnosis = doctor.examine(Question(str(folder)), silent)
    assert [one.text.partition(":")[0] for one in diagnosis.problems] == ["production", "shadow"]
    assert [said(diagnosis).count(one.text) for one in diagnosis.problems] == [1, 1]
    assert said(diagnosis).rstrip().endswith("(and 1 more problem, above)")


def test_one_record_among_rejected_lines_is_enough(folder: Path) -> None:
    for key in KEYS[3:]:
        (folder / key).write_bytes(NOISE)
    with (folder / KEYS[5]).open("ab") as stream:
        stream.write(b"\n" + RECORD)
    assert doctor.examine(Question(str(folder)), silent).exit_code == ExitCode.PROMOTE


def test_a_first_line_longer_than_what_is_looked_at_says_nothing(folder: Path) -> None:
    long = RECORD.replace(b'"1"', b'"%s"' % (b"1" * START_BYTES))
    for key in KEYS[3:]:
        (folder / key).write_bytes(long)
    assert doctor.examine(Question(str(folder)), silent).problems == ()
    for key in KEYS[3:]:
        (folder / key).write_bytes(gzip.compress(long))
    assert doctor.examine(Question(str(folder)), silent).problems == ()


def test_several_endpoints_are_exit_code_2_with_the_list(folder: Path) -> None:
    (folder / "churn").rename(folder / "old")
    for key in KEYS:
        path = folder / key
        path.parent.mkdir(parents=True)
        path.write_bytes(RECORD)
    diagnosis = doctor.examine(Question(str(folder)), silent)
    assert diagnosis.exit_code == ExitCode.USAGE
    assert "2 endpoints: churn, old" in said(diagnosis)
    assert doctor.examine(Question(str(folder), endpoint="old"), silent).exit_code == 0


def test_flags_that_cannot_be_meant_are_usage_errors(folder: Path) -> None:
    with pytest.raises(UsageError, match="ISO 8601"):
        doctor.examine(Question(str(folder), since="yesterday"), silent)
    with pytest.raises(UsageError, match="AWS options"):
        doctor.examine(Question("s3://b", aws=AwsOptions(profile="nobody")), silent)


def test_without_a_source_this_installation_is_described() -> None:
    diagnosis = doctor.examine(Question(aws=AwsOptions(no_sign_request=True)), silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert set(diagnosis.versions) == {
        "shadow-analyzer", "python", "duckdb", "polars", "pyarrow", "boto3",
    }  # fmt: skip
    assert diagnosis.machine.memory_bytes > 0
    assert "Name a SOURCE" in said(diagnosis)


def test_the_cache_is_where_a_run_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    diagnosis = doctor.examine(Question(aws=AwsOptions(no_sign_request=True)), silent)
    assert diagnosis.machine.cache_folder == str(tmp_path / "shadow-analyzer")
    assert f"parsed objects kept in: {tmp_path / 'shadow-analyzer'} (" in said(diagnosis)
    monkeypatch.setattr(doctor, "cache_folder", lambda: None)
    diagnosis = doctor.examine(Question(aws=AwsOptions(no_sign_request=True)), silent)
    assert "parsed objects kept in: nowhere" in said(diagnosis)


def test_the_command_prints_and_ends_with_the_code(folder: Path) -> None:
    done = here("doctor", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("READY  A run would read 6 objects (810 B).")
    assert here("doctor", folder, "--since", "yesterday").returncode == 2


def test_doctor_has_the_flags_of_a_run_for_captures_and_aws() -> None:
    import typer

    commands = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    flags = {
        name: {option for one in commands[name].params for option in one.opts}
        for name in ("run", "doctor")
    }
    assert flags["doctor"] <= flags["run"]
    own = {"--cloudwatch", "--policy", "--set", "--memory-limit", "--out", "--fail-on"}
    assert flags["run"] - flags["doctor"] >= own
    aws_flags = {"--profile", "--region", "--endpoint-url", "--role-arn"}
    assert aws_flags | {"--no-sign-request", "--request-payer"} <= flags["doctor"]


def test_a_folder_of_batch_jobs_is_ready_too(tmp_path: Path) -> None:
    for job in (Job(name, {"x.csv": (b"1\n", b"0.5\n")}) for name in "ab"):
        for key, body in job.objects().items():
            path = tmp_path / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    question = Question(production=str(tmp_path / "a"), shadow=str(tmp_path / "b"))
    diagnosis = doctor.examine(question, silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert states(diagnosis) == {"read permission": "granted"}
