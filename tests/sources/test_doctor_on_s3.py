"""`analyzer doctor` on S3: what it tries, and that its policy is enough and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.console.progress import silent
from analyzer.doctor import diagnosing as doctor
from analyzer.doctor.diagnosis import Diagnosis, Question
from analyzer.errors import AccessError, ExitCode
from analyzer.sources import AwsOptions, discover, listing, open_chunks
from analyzer.sources.access import START_BYTES
from tests.doctor.policy_evaluator import allows
from tests.doctor.test_doctor import HOURS, KEYS, NOISE, RECORD, said, states
from tests.faults.fault_server import (
    ACCESS_DENIED,
    KMS_DENIED,
    MODIFIED,
    NO_SUCH_BUCKET,
    Cut,
    Delete,
    Fault,
    FaultServer,
    Refuse,
    Reset,
)
from tests.here import here
from tests.sources.batch_jobs import Job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.fault_server import Asked
    from tests.sources.conftest import Storage

KMS_KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
VIA_S3 = "s3.us-east-1.amazonaws.com"


@pytest.fixture(autouse=True)
def nobody_at_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens there: a question to STS that is not meant is refused at once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")


@pytest.fixture
def server(faults: FaultServer) -> FaultServer:
    faults.put(dict.fromkeys(KEYS, RECORD))
    return faults


def ask(server: FaultServer, source: str | None = "s3://b/churn", **more: Any) -> Diagnosis:  # noqa: ANN401 - whatever a question has
    options = AwsOptions(endpoint_url=server.url, max_attempts=2)
    return doctor.examine(Question(source, aws=options, **more), silent)


def test_a_bucket_that_may_be_read_is_ready(server: FaultServer) -> None:
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert states(diagnosis) == {"s3:ListBucket": "granted", "s3:GetObject": "granted"}
    assert diagnosis.regions == {"b": "us-east-1"}
    ranges = {one.headers.get("Range") for one in server.seen("get")}
    assert ranges == {f"bytes=0-{START_BYTES - 1}"}
    assert len(server.seen("get")) == 4


def test_objects_without_records_are_not_ready_whatever_follows_what_was_read(
    server: FaultServer,
) -> None:
    server.put(dict.fromkeys(KEYS[3:], NOISE * 20))
    server.put(dict.fromkeys(KEYS[:3], RECORD * 20_000))
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.INPUT
    assert states(diagnosis)["s3:GetObject"] == "granted"
    (problem,) = diagnosis.problems
    assert problem.text.startswith("shadow: no capture record in the first lines of churn/Shadow")


@pytest.mark.parametrize("fault", [Cut(0), Reset(0)], ids=str)
def test_an_object_of_which_nothing_came_may_be_read_and_says_nothing_of_its_variant(
    server: FaultServer, fault: Fault
) -> None:
    server.put(dict.fromkeys(KEYS[3:], NOISE))
    server.plan("get", "Shadow-01", fault)
    diagnosis = ask(server)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert states(diagnosis)["s3:GetObject"] == "granted"


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


def test_a_bucket_that_does_not_exist_is_said_and_has_no_permission_region_or_policy(
    server: FaultServer,
) -> None:
    server.plan("list", "", *[NO_SUCH_BUCKET] * 4)
    diagnosis = ask(server)
    assert states(diagnosis) == {"s3:ListBucket": "not known", "s3:GetObject": "not known"}
    assert (diagnosis.policy, diagnosis.regions) == (None, {})
    assert "NOT READY" in said(diagnosis)
    assert "there is no such bucket" in said(diagnosis)
    assert "IAM policy" not in said(diagnosis)


def archive(bucket: Storage, *archived: str) -> Diagnosis:
    """What doctor says of KEYS, of which some are archived."""
    bucket.put(dict.fromkeys(KEYS, RECORD))
    name = bucket.root.removeprefix("s3://")
    for key in archived:
        bucket.client.put_object(Bucket=name, Key=key, Body=RECORD, StorageClass="GLACIER")
    return doctor.examine(Question(bucket.at("churn"), aws=bucket.aws), silent)


def test_archived_objects_are_counted_wherever_they_are(moto_bucket: Storage) -> None:
    middle = KEYS[1]
    diagnosis = archive(moto_bucket, middle)
    assert diagnosis.exit_code == ExitCode.ACCESS
    assert diagnosis.reads is not None
    assert diagnosis.reads.archived == 1
    text = f"1 object in an archive storage class, such as {middle}: restore it first"
    assert [one.text for one in diagnosis.problems] == [text]
    assert "NOT READY" in said(diagnosis)
    every = archive(moto_bucket, *KEYS)
    assert [one.text.partition(",")[0] for one in every.problems] == [
        f"{len(KEYS)} objects in an archive storage class"
    ]


def test_archived_objects_that_are_restored_are_no_problem(moto_bucket: Storage) -> None:
    archive(moto_bucket, KEYS[1])
    name = moto_bucket.root.removeprefix("s3://")
    moto_bucket.client.restore_object(Bucket=name, Key=KEYS[1], RestoreRequest={"Days": 1})
    moto_bucket.client.head_object(Bucket=name, Key=KEYS[1])  # the server restores when asked
    diagnosis = doctor.examine(Question(moto_bucket.at("churn"), aws=moto_bucket.aws), silent)
    assert diagnosis.exit_code == ExitCode.PROMOTE
    assert "1 object in an archive storage class, which can be read only once" in said(diagnosis)


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
    assert "credentials: none found\n" in said(diagnosis)
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


def test_young_objects_of_the_last_hours_are_counted(server: FaultServer) -> None:
    """Written a minute after the last of three hours; those of the others were copied then."""
    modified = datetime.fromisoformat(MODIFIED)
    options = AwsOptions(endpoint_url=server.url)
    question = Question("s3://b/churn", aws=options)
    young = doctor.examine(question, silent, now=modified + timedelta(minutes=4))
    assert young.reads is not None
    assert young.reads.young == 2
    assert "2 objects less than 5 minutes old" in said(young)
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
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary-token")
    diagnosis = ask(server)
    for form in (said(diagnosis), diagnosis.to_json()):
        assert "canary" not in form.lower()


def test_text_from_a_bucket_cannot_move_the_cursor(server: FaultServer) -> None:
    server.put({f"churn/\x1b[31mred/{HOURS[0]}/a.jsonl": RECORD})
    shown = said(ask(server))
    assert "\x1b" not in shown
    assert "3 variants" in shown


def test_the_command_prints_json_and_ends_with_the_code(server: FaultServer) -> None:
    asked = ["s3://b/churn", "--endpoint-url", server.url, "--format", "json"]
    done = here("doctor", *asked)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["exit_code"] == 0
    assert found["credentials"]["kind"] == "env"
    assert found["reads"]["sides"][0]["first_hour"] == "2026-10-05T00:00:00Z"
    assert allows(found["policy"], "s3:GetObject", f"arn:aws:s3:::b/{KEYS[0]}")
    server.plan("list", "", ACCESS_DENIED)
    done = here("doctor", *asked)
    assert done.returncode == 4
    assert json.loads(done.stdout)["problems"][0]["exit_code"] == 4


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
