"""`analyzer doctor`: what it tries, what it says, and that its policy is enough and no more."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analyzer import cli, doctor
from analyzer.diagnosis import Diagnosis, Question
from analyzer.errors import AccessError, ExitCode, UsageError
from analyzer.progress import silent
from analyzer.report import text
from analyzer.report.content.doctor_page import doctor_page
from analyzer.sources import AwsOptions, aws, discover, listing, local, open_chunks
from analyzer.sources.objects import ObjectError
from tests.faults.fault_server import (
    ACCESS_DENIED,
    KMS_DENIED,
    MODIFIED,
    NO_SUCH_BUCKET,
    Delete,
    Fault,
    FaultServer,
    Refuse,
    Reset,
    serving,
)
from tests.policy_evaluator import allows
from tests.sources.batch_jobs import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.fault_server import Asked

RECORD = b'{"captureData":{}}\n'
HOURS = [f"2026/10/05/{hour:02}" for hour in range(3)]
KEYS = [
    f"churn/{variant}/{hour}/a.jsonl" for variant in ("AllTraffic", "Shadow-01") for hour in HOURS
]
KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
VIA_S3 = "s3.us-east-1.amazonaws.com"


@pytest.fixture(autouse=True)
def aws_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may depend on this machine's AWS settings or reach for its metadata service."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARYCANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # Nobody listens there: what is not meant to be asked is refused at once.
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    aws.s3_client.cache_clear()


@pytest.fixture(scope="module")
def one_server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(one_server: FaultServer) -> FaultServer:
    one_server.reset()
    one_server.put(dict.fromkeys(KEYS, RECORD))
    return one_server


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in KEYS:
        path = tmp_path / key
        path.parent.mkdir(parents=True)
        path.write_bytes(RECORD)
    return tmp_path


def ask(server: FaultServer, source: str | None = "s3://b/churn", **more: Any) -> Diagnosis:  # noqa: ANN401 - whatever a question has
    options = AwsOptions(endpoint_url=server.url, max_attempts=2)
    return doctor.examine(Question(source, aws=options, **more), silent)


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
    assert "READY  A run would read 6 objects (114 B)." in said(diagnosis)


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


def test_a_bucket_that_may_be_read_is_ready(server: FaultServer) -> None:
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert states(diagnosis) == {"s3:ListBucket": "granted", "s3:GetObject": "granted"}
    assert diagnosis.regions == {"b": "us-east-1"}
    ranges = {one.headers.get("Range") for one in server.seen("get")}
    assert ranges == {"bytes=0-0"}
    assert len(server.seen("get")) == 4


def allowed(policy: dict[str, Any], asked: Asked) -> bool:
    """Whether a policy allows a request as it came."""
    arn = f"arn:aws:s3:::{asked.bucket}"
    if asked.operation == "list":
        return allows(policy, "s3:ListBucket", arn, s3__prefix=asked.key)
    return allows(policy, "s3:GetObject", f"{arn}/{asked.key}")


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("stored", "source"),
    [("", "s3://b"), ("churn", "s3://b/churn"), ("x//churn", "s3://b/x/churn")],
)
def test_the_policy_allows_every_request_of_a_run_and_no_other_bucket_or_prefix(
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    *,
    stored: str,
    source: str,
    split: bool,
) -> None:
    server.objects.clear()
    below = [key.removeprefix("churn/") for key in KEYS]
    server.put({f"{stored}/{key}".lstrip("/"): RECORD for key in below})
    policy = ask(server, source).policy
    assert policy is not None
    if split:
        server.page_size = 2
        monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)
    server.asked.clear()
    list(open_chunks(discover(source, aws=AwsOptions(endpoint_url=server.url))))
    requests = [*server.seen("list"), *server.seen("get")]
    assert len(requests) > 6
    assert all(allowed(policy, one) for one in requests)
    assert not any(allowed(policy, replace(one, bucket="c")) for one in requests)
    if stored:
        assert not any(allowed(policy, replace(one, key=f"y{one.key}")) for one in requests)
    # Each statement is needed.
    for number in range(len(policy["Statement"])):
        fewer = {"Statement": policy["Statement"][:number] + policy["Statement"][number + 1 :]}
        assert not all(allowed(fewer, one) for one in requests)


@pytest.mark.parametrize("asked_for", ["", "/output"])
def test_the_policy_for_batch_jobs_reaches_their_data(server: FaultServer, asked_for: str) -> None:
    files = {f"day={day}/x.csv": (b"1\n", b"0.5\n") for day in (1, 2)}
    for job in (Job("jobs/a", files, bucket="b"), Job("jobs/b", files, bucket="b")):
        server.put({key.replace("/data/", "-data/"): body for key, body in job.objects().items()})
        manifest = job.manifest("data", "").replace(b"/data/", b"-data/")
        server.put({f"{job.prefix}/input/{job.hour}/manifest.jsonl": manifest})
    paths = [f"s3://b/jobs/{job}{asked_for}" for job in "ab"]
    reach = AwsOptions(endpoint_url=server.url)
    question = Question(production=paths[0], shadow=paths[1], aws=reach)
    diagnosis = doctor.examine(question, silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert diagnosis.policy is not None
    server.asked.clear()
    found = discover(None, production=paths[0], shadow=paths[1], aws=reach)
    assert sum(chunk.failure is None for chunk in open_chunks(found)) == 4
    requests = [*server.seen("list"), *server.seen("get")]
    assert {one.key for one in requests} > {"jobs/a-data/day=1/x.csv"}
    assert [one.key for one in requests if not allowed(diagnosis.policy, one)] == []
    assert not any(allowed(diagnosis.policy, replace(one, key="other/x")) for one in requests)


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


def test_a_listing_that_is_denied_names_the_permission_and_still_gives_the_policy(
    server: FaultServer,
) -> None:
    server.plan("list", "", ACCESS_DENIED)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert states(diagnosis) == {"s3:ListBucket": "missing", "s3:GetObject": "not known"}
    assert "s3:ListBucket is missing" in said(diagnosis)
    assert diagnosis.policy is not None
    assert allows(diagnosis.policy, "s3:GetObject", f"arn:aws:s3:::b/{KEYS[0]}")


def test_objects_that_are_denied_name_the_permission(server: FaultServer) -> None:
    server.plan("get", "Shadow-01", ACCESS_DENIED, ACCESS_DENIED)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert states(diagnosis) == {"s3:ListBucket": "granted", "s3:GetObject": "missing"}
    (problem,) = diagnosis.problems
    assert problem.text == (
        f"s3:GetObject is missing for 2 of 4 objects tried: read {KEYS[3]}: "
        f"AccessDenied: {ACCESS_DENIED.message}"
    )


def test_a_key_that_is_denied_is_named_in_the_policy(server: FaultServer) -> None:
    server.plan("get", "", *[KMS_DENIED] * 4)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert states(diagnosis) == {
        "s3:ListBucket": "granted",
        "s3:GetObject": "granted",
        "kms:Decrypt": "missing",
    }
    assert diagnosis.policy is not None
    assert allows(diagnosis.policy, "kms:Decrypt", KMS_KEY, kms__ViaService=VIA_S3)


def test_decryption_is_granted_only_where_a_key_was_seen(server: FaultServer) -> None:
    plain = ask(server)
    assert "kms:Decrypt" not in json.dumps(plain.policy)
    server.object_headers["x-amz-server-side-encryption"] = "AES256"
    assert "kms:Decrypt" not in json.dumps(ask(server).policy)
    server.object_headers["x-amz-server-side-encryption"] = "aws:kms"
    server.object_headers["x-amz-server-side-encryption-aws-kms-key-id"] = KMS_KEY
    encrypted = ask(server)
    assert states(encrypted)["kms:Decrypt"] == "granted"
    assert encrypted.policy is not None
    assert allows(encrypted.policy, "kms:Decrypt", KMS_KEY, kms__ViaService=VIA_S3)


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (NO_SUCH_BUCKET, ExitCode.INPUT, "no such bucket"),
        (Refuse(400, "ExpiredToken"), ExitCode.ACCESS, "credentials have expired"),
        (Refuse(301, "PermanentRedirect"), ExitCode.ACCESS, "--region"),
        (Reset(), ExitCode.ACCESS, "unreachable after retries"),
    ],
    ids=str,
)
def test_a_bucket_that_cannot_be_listed_says_why(
    server: FaultServer, fault: Fault, code: ExitCode, words: str
) -> None:
    server.plan("list", "", *[fault] * 4)
    diagnosis = ask(server)
    assert diagnosis.exit_code == code
    assert words in said(diagnosis)
    assert states(diagnosis)["s3:GetObject"] == "not known"


def test_credentials_that_expire_after_the_listing_are_one_problem(server: FaultServer) -> None:
    server.plan("get", "", *[Refuse(400, "ExpiredToken")] * 4)
    diagnosis = ask(server)
    assert [one.exit_code for one in diagnosis.problems] == [ExitCode.ACCESS]
    assert states(diagnosis)["s3:GetObject"] == "not known"


@pytest.mark.parametrize(
    ("fault", "words"),
    [(Delete(), "no longer there"), (Refuse(403, "InvalidObjectState"), "restore it first")],
    ids=str,
)
def test_an_object_that_cannot_be_read_is_no_missing_permission(
    server: FaultServer, fault: Fault, words: str
) -> None:
    server.plan("get", "", fault)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert words in said(diagnosis)
    assert "missing" not in states(diagnosis).values()


def test_unsigned_requests_need_no_policy(server: FaultServer) -> None:
    options = AwsOptions(endpoint_url=server.url, no_sign_request=True)
    diagnosis = doctor.examine(Question("s3://b/churn", aws=options), silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert diagnosis.policy is None
    assert "requests are not signed" in said(diagnosis)


def test_no_credentials_are_an_access_problem(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert diagnosis.who is not None
    assert diagnosis.who.kind is None
    assert "credentials: from none found" in said(diagnosis)
    assert diagnosis.policy is not None


def test_credentials_that_cannot_be_loaded_are_an_access_problem(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: AwsOptions) -> None:
        raise AccessError("find credentials: the process failed")

    monkeypatch.setattr(doctor, "identity", refuse)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert diagnosis.policy is not None


def test_young_objects_are_counted(server: FaultServer) -> None:
    modified = datetime.fromisoformat(MODIFIED)
    options = AwsOptions(endpoint_url=server.url)
    question = Question("s3://b/churn", aws=options)
    young = doctor.examine(question, silent, now=modified + timedelta(minutes=4))
    assert young.reads is not None
    assert young.reads.young == 6
    assert "6 objects less than 5 minutes old" in said(young)
    old = doctor.examine(question, silent, now=modified + timedelta(minutes=6))
    assert old.reads is not None
    assert old.reads.young == 0


def test_two_paths_in_two_buckets_are_both_looked_at(server: FaultServer) -> None:
    diagnosis = ask(
        server, None, production="s3://new/churn/AllTraffic", shadow="s3://old/churn/Shadow-01"
    )
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert set(diagnosis.regions) == {"new", "old"}
    assert diagnosis.policy is not None
    assert allows(diagnosis.policy, "s3:GetObject", f"arn:aws:s3:::new/{KEYS[0]}")
    assert allows(diagnosis.policy, "s3:GetObject", f"arn:aws:s3:::old/{KEYS[3]}")
    assert not allows(diagnosis.policy, "s3:GetObject", f"arn:aws:s3:::old/{KEYS[0]}")


def test_a_window_is_that_of_a_run(server: FaultServer) -> None:
    reads = ask(server, since="2026-10-05T02:30").reads
    assert reads is not None
    assert [side.objects for side in reads.sides] == [2, 2]
    assert reads.skipped == {"outside-window": 2}


def test_roles_come_from_endpoint_json_as_in_a_run(server: FaultServer, tmp_path: Path) -> None:
    server.objects.clear()
    server.put({key.replace("Shadow-01", "v2"): RECORD for key in KEYS})
    assert ask(server).exit_code == ExitCode.USAGE
    path = tmp_path / "endpoint.json"
    config = {
        "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "a"}],
        "ShadowProductionVariants": [{"VariantName": "v2", "ModelName": "b"}],
    }
    path.write_text(json.dumps({"DescribeEndpointConfig": config}), encoding="utf-8")
    reads = ask(server, endpoint_file=path).reads
    assert reads is not None
    assert [side.variant for side in reads.sides] == ["AllTraffic", "v2"]


def test_the_caller_is_named_by_sts(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    diagnosis = doctor.examine(Question(), silent)
    assert diagnosis.who is not None
    assert diagnosis.who.kind == "env"
    assert diagnosis.who.arn == "arn:aws:sts::123456789012:user/moto"
    assert "credentials: from environment variables   identity arn:aws:sts::" in said(diagnosis)


def test_the_caller_is_the_role_where_one_is_assumed(
    moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    options = AwsOptions(role_arn="arn:aws:iam::123456789012:role/reader")
    who = doctor.examine(Question(aws=options), silent).who
    assert who is not None
    assert who.kind == "assume-role"
    assert who.arn is not None
    assert "assumed-role/reader/shadow-analyzer" in who.arn


def test_a_caller_that_nobody_names_is_no_problem() -> None:
    diagnosis = doctor.examine(Question(), silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert "identity unknown: ask STS" in said(diagnosis)


def test_aws_is_not_asked_about_what_signs_for_another_server(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_STS")
    who = ask(server).who
    assert who is not None
    assert who.why_unnamed == "not asked, because of --endpoint-url"


def test_a_role_that_cannot_be_assumed_is_named(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore import exceptions as aws_errors
    from botocore.credentials import AssumeRoleCredentialFetcher

    def refuse(_: object) -> object:
        answer: Any = {"Error": {"Code": "AccessDenied", "Message": "no"}}
        raise aws_errors.ClientError(answer, "AssumeRole")

    monkeypatch.setattr(AssumeRoleCredentialFetcher, "fetch_credentials", refuse)
    options = AwsOptions(endpoint_url=server.url, role_arn="arn:aws:iam::1:role/r")
    diagnosis = doctor.examine(Question("s3://b/churn", aws=options), silent)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert states(diagnosis)["sts:AssumeRole"] == "missing"


def test_no_key_is_ever_said(
    server: FaultServer, moto_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary-token")
    diagnosis = ask(server)
    for form in (said(diagnosis), diagnosis.to_json()):
        assert "canary" not in form.lower()


def test_the_cache_is_where_the_standard_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert doctor.cache_folder() == tmp_path / "shadow-analyzer"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for ignored in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert doctor.cache_folder() == tmp_path / "home/.cache/shadow-analyzer"


def test_text_from_a_bucket_cannot_move_the_cursor(server: FaultServer) -> None:
    server.put({f"churn/\x1b[31mred/{HOURS[0]}/a.jsonl": RECORD})
    shown = said(ask(server))
    assert "\x1b" not in shown
    assert "3 variants" in shown


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "analyzer", "doctor", *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_command_prints_and_ends_with_the_code(folder: Path, server: FaultServer) -> None:
    done = command(str(folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("READY  A run would read 6 objects (114 B).")
    asked = ["s3://b/churn", "--endpoint-url", server.url, "--format", "json"]
    done = command(*asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["exit_code"] == 0
    assert found["credentials"]["kind"] == "env"
    assert found["reads"]["sides"][0]["first_hour"] == "2026-10-05T00:00:00Z"
    assert allows(found["policy"], "s3:GetObject", f"arn:aws:s3:::b/{KEYS[0]}")
    server.plan("list", "", ACCESS_DENIED)
    done = command(*asked)
    assert done.returncode == 4
    assert json.loads(done.stdout)["problems"][0]["exit_code"] == 4
    assert command(str(folder), "--since", "yesterday").returncode == 2


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
