"""No secret a run is near leaves it: canaries in every place, looked for in every output."""

from __future__ import annotations

import doctest
import gzip
import json
import os
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import analyzer.secrets
from analyzer.errors import AccessError
from analyzer.secrets import without_secrets
from tests.examples import examples
from tests.here import here
from tests.report import bundles

if TYPE_CHECKING:
    from collections.abc import Iterator

THIN = Path(__file__).parents[2] / "sample_data" / "thin_sample"
CANARY = "CANARYd41d8cd98f"
SIGNED = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA{CANARY.upper()}%2Fs3"
    f"&X-Amz-Security-Token={CANARY}token&X-Amz-Signature={CANARY}sig"
)
PRESIGNED = f"https://my-bucket.s3.amazonaws.com/capture/a.jsonl?{SIGNED}"
USERINFO = f"http://reader:{CANARY}pw@127.0.0.1:9"


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment and a credentials file full of canaries."""
    credentials = tmp_path / "credentials"
    keys = f"aws_access_key_id = AKIA{CANARY.upper()}\naws_secret_access_key = {CANARY}file\n"
    credentials.write_text(f"[default]\n{keys}\n[ci]\n{keys}", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": f"AKIA{CANARY.upper()}",
        "AWS_SECRET_ACCESS_KEY": f"{CANARY}secret",
        "AWS_SESSION_TOKEN": f"{CANARY}session",
        "DATABASE_PASSWORD": f"{CANARY}database",
        f"{CANARY}_NAME": "1",
    }


def told(
    arguments: list[str | Path], folder: Path, surroundings: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    """What a command leaves anywhere: its streams, and every file it wrote."""
    (folder / "cwd").mkdir(exist_ok=True)
    done = here(*arguments, cwd=folder / "cwd", env=surroundings)
    assert "Traceback" not in done.stderr, done.stderr
    yield "stdout", done.stdout.encode()
    yield "stderr", done.stderr.encode()
    for path in sorted((folder / "cwd").rglob("*")):
        yield path.name, str(path).encode()
        if path.is_file():
            body = path.read_bytes()
            yield path.name, body
            if path.suffix == ".parquet":  # compressed: canaries would hide in it
                import polars as pl

                table = pl.read_parquet(path)
                yield path.name, repr(table.to_dicts()).encode()


def looked_through(
    arguments: list[str | Path], folder: Path, surroundings: dict[str, str]
) -> set[str]:
    """Look for the canary, and say where that was."""
    seen = set()
    for where, body in told(arguments, folder, surroundings):
        seen.add(where)
        at = body.lower().find(CANARY.lower().encode())
        assert at < 0, f"{where}: {body[max(0, at - 80) : at + 40]!r}"
    return seen


def planted(folder: Path) -> Path:
    """Captures whose every record carries canaries that are no answer, and a line that is none."""
    captures = folder / "captures"
    shutil.copytree(THIN / "captures", captures)
    for path in sorted(path for path in captures.rglob("*") if path.is_file()):
        lines = []
        for line in _lines(path):
            record = json.loads(line)
            record["eventMetadata"]["customAttributes"] = [f"token={CANARY}custom"]
            record["captureData"]["endpointInput"]["data"] += f",{CANARY}payload"
            record["captureData"]["endpointInput"]["customAttributes"] = f"{CANARY}header"
            lines.append(json.dumps(record))
        lines.append(f'{{"Authorization": "Bearer {CANARY}line"')
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return captures


def _lines(path: Path) -> list[str]:
    body = path.read_bytes()
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    path.unlink()
    return [line for line in text.decode().splitlines() if line.strip()]


def test_a_finished_run_shows_nothing_of_its_surroundings_or_of_what_only_came_along(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    captures = planted(tmp_path)
    for path in sorted(captures.rglob("*.gz")):
        path.rename(path.with_suffix(""))
    # What drawings are made of is in verdict.json and the tables.
    with nullcontext() if examples(0, whole=1) else bundles.undrawn():
        seen = looked_through(
            [
                "run", captures, "--cloudwatch", THIN / "cloudwatch", "--out", "analysis",
                "--profile", "ci", "--log-format", "json",
            ],
            tmp_path,
            surroundings,
        )  # fmt: skip
    assert seen >= {
        "stdout", "stderr", "verdict.json", "summary.md", "junit.xml", "manifest.json",
        "analysis.run_log.json",
    }  # fmt: skip
    assert any(name.endswith(".parquet") for name in seen)
    verdict = json.loads((tmp_path / "cwd" / "analysis" / "verdict.json").read_text("utf-8"))
    assert verdict["ledger"]["pairs"] > 100
    assert verdict["ledger"]["malformed"] > 10
    for form in ("text", "json", "markdown", "junit", "github", "evaluation"):
        said = here("verdict", "analysis", "--format", form, cwd=tmp_path / "cwd", env=surroundings)
        assert said.stdout
        assert CANARY.lower() not in (said.stdout + said.stderr).lower()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "s3://b/c", "--endpoint-url", USERINFO],
        ["run", "s3://b/c", "--endpoint-url", f"{USERINFO}/?{SIGNED}"],
        ["run", "s3://b/c", "--endpoint-url", f"reader:{CANARY}pw@host"],
        ["run", f"s3://reader:{CANARY}pw@b/c", "--endpoint-url", "http://127.0.0.1:9"],
        ["run", f"s3://b/c?{SIGNED}", "--endpoint-url", "http://127.0.0.1:9"],
        ["run", PRESIGNED],
        ["run", "--production", PRESIGNED, "--shadow", PRESIGNED],
        ["run", THIN / "captures", "--cloudwatch", PRESIGNED],
        ["run", THIN / "captures", "--labels", PRESIGNED],
        ["run", THIN / "captures", "--policy", PRESIGNED],
        ["run", THIN / "captures", "--endpoint-file", PRESIGNED],
        ["run", THIN / "captures", "--since", PRESIGNED],
        ["run", THIN / "captures", "--fail-on", PRESIGNED],
        ["doctor", "s3://b/c", "--endpoint-url", f"{USERINFO}/?{SIGNED}"],
        ["doctor", PRESIGNED, "--format", "json"],
        ["metrics", "churn", "--endpoint-url", f"{USERINFO}/?{SIGNED}"],
        ["verdict", PRESIGNED],
        ["diff", PRESIGNED, PRESIGNED],
        ["report", PRESIGNED],
        ["policy", PRESIGNED],
        ["explain", PRESIGNED],
    ],
    ids=lambda arguments: " ".join(map(str, arguments))[:60],
)
def test_an_error_quotes_no_secret_of_an_address(
    arguments: list[str | Path], tmp_path: Path, surroundings: dict[str, str]
) -> None:
    seen = looked_through(arguments, tmp_path, surroundings)
    unparsed = {"--fail-on", "--cloudwatch", "--policy", "--endpoint-file"}
    if arguments[0] == "run" and not unparsed & set(arguments):
        assert {"verdict.json", "junit.xml", "analysis.run_log.json"} <= seen


ECHO = (
    f"Authorization=AWS4-HMAC-SHA256 Credential=AKIA{CANARY.upper()}/20261120/s3/aws4_request, "
    f"SignedHeaders=host;x-amz-security-token, Signature={CANARY}sig; "
    f"X-Amz-Security-Token: {CANARY}token"
)
"""What AWS quotes of a request whose signature it cannot read."""


def test_an_answer_that_quotes_the_request_is_not_passed_on() -> None:
    error = AccessError(f"list s3://b/c: AWS refused (IncompleteSignature: {ECHO})")
    assert CANARY.lower() not in str(error).lower()
    assert str(error).startswith("list s3://b/c: AWS refused (IncompleteSignature: ")


def test_the_examples_hold() -> None:
    assert doctest.testmod(analyzer.secrets).attempted > 0
    assert doctest.testmod(analyzer.secrets).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        "--set alhpa=1: alhpa: unknown key; did you mean 'alpha'?",
        "policy.toml: metrics.latency_p99.margin: a ratio above 1 (1.10 allows +10 %), got 0.9",
        "(SignatureDoesNotMatch: The request signature we calculated does not match)",
        "User: arn:aws:sts::123456789012:assumed-role/ci/me@corp.com is not authorized",
        "--since 2026-11-20T00:00Z: expected ISO 8601",
        "renew the credentials (for example `aws sso login`) and run again",
        "s3://b/dt=2026-11-20/hour=07/a.jsonl: gone",
    ],
)
def test_a_message_without_a_secret_stays_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


@given(st.text(), st.sampled_from(["", "x ", "`", "'"]))
def test_no_password_survives_whatever_stands_around_it(text: str, before: str) -> None:
    said = without_secrets(f"{before}https://reader:{CANARY}@host/a?sig={CANARY}&b=1 {text}")
    assert CANARY not in said


@pytest.mark.parametrize(
    "name",
    ["access_token=", "aws_secret_access_key=", "SecretAccessKey=", "client_secret=", "api_key=",
     "sessionToken=", "X-Api-Key: ", '"password": "', "'apiKey': '", "Authorization: token ",
     "Authorization: ApiKey a b "],
)  # fmt: skip
def test_the_value_of_a_field_that_holds_a_secret_is_hidden(name: str) -> None:
    assert CANARY not in without_secrets(f"refused: {name}{CANARY}/+x\nnext line")
    assert without_secrets(f"refused: {name}{CANARY}\nkept").startswith("refused: ")


@pytest.mark.parametrize("piece", ["=a", "?", ":", "token", "token=:", '"token": "\\', "a-", "=a:"])
def test_a_long_text_of_anybodys_is_searched_in_time_that_grows_with_it(piece: str) -> None:
    hidden = without_secrets(f"{piece * 20_000} client_secret={CANARY}")
    assert CANARY not in hidden
