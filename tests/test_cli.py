"""The command line: what stdout carries, which code it ends with, and what it never does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

import pytest
from junitparser import JUnitXml

from analyzer import bundle
from analyzer.cli.door import COMMANDS
from tests.forked_runs import analyzer
from tests.here import here

ROOT = Path(__file__).parents[1]
SAMPLE_DATA = ROOT / "sample_data"
TAIL = SAMPLE_DATA / "slow_tail"


def run_of(out: Path, *extra: str | Path) -> list[str | Path]:
    return [
        "run", TAIL / "captures", "--cloudwatch", TAIL / "cloudwatch",
        "--policy", TAIL / "policy.toml", "--out", out, *extra,
    ]  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """A run as users start it, drawings and all.

    Attributes:
        out: its bundle, which nobody alters.
        done: how it ended.
        imported: the modules it had at its end.
    """

    out: Path
    done: subprocess.CompletedProcess[str]
    imported: frozenset[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """What `python -m analyzer run` leaves."""
    folder = tmp_path_factory.mktemp("ran")
    code = (
        "import atexit, pathlib, runpy, sys\n"
        f"modules = pathlib.Path({str(folder / 'modules')!r})\n"
        "atexit.register(lambda: modules.write_text('\\n'.join(sys.modules)))\n"
        "runpy.run_module('analyzer', run_name='__main__', alter_sys=True)\n"
    )
    command = [sys.executable, "-c", code, *map(str, run_of(folder / "out"))]
    env = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    imported = frozenset((folder / "modules").read_text(encoding="utf-8").splitlines())
    return Ran(folder / "out", done, imported)


@pytest.fixture(scope="module")
def rejected(ran: Ran) -> Path:
    """A bundle that nobody alters."""
    assert ran.done.returncode == 20, ran.done.stderr
    return ran.out


@pytest.fixture
def out(rejected: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(rejected, tmp_path / "out"))


def test_a_rejection_is_printed_and_ends_with_its_code(ran: Ran) -> None:
    done, out = ran.done, ran.out
    assert done.returncode == 20, done.stderr
    assert "REJECT" in done.stdout
    assert "latency_p99" in done.stdout
    assert done.stdout.rstrip().endswith(f"analyzer report {out}")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert bundle.read(out).verdict.decision.value == "REJECT"
    assert "<svg " in (out / "report.html").read_text(encoding="utf-8")


def from_metrics(out: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    return analyzer(
        "run", "--endpoint", "churn-endpoint", "--cloudwatch", TAIL / "cloudwatch",
        "--out", out, *extra,
    )  # fmt: skip


def test_json_on_stdout_is_one_document(tmp_path: Path) -> None:
    done = from_metrics(tmp_path / "out", "--format", "json", "--fail-on", "never")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "verdict.json").read_text())
    assert json.loads(done.stdout)["exit_code"] == 20


def test_a_bundle_is_verified_before_its_verdict_is_printed(out: Path) -> None:
    assert here("verdict", out).returncode == 20
    assert here("verdict", out / "verdict.json", "--format", "json").returncode == 20
    markdown = here("verdict", out, "--format", "markdown")
    assert markdown.stdout == (out / "summary.md").read_text(encoding="utf-8")
    altered = (out / "summary.md").read_text(encoding="utf-8").replace("REJECT", "PROMOTE")
    (out / "summary.md").write_text(altered, encoding="utf-8")
    done = here("verdict", out)
    assert done.returncode == 3
    assert "was altered" in done.stderr


@pytest.mark.parametrize(
    ("asked", "code", "complaint"),
    [
        (["--endpoint", "churn-endpoint", "--max-age", "90000d"], 20, ""),
        (["--endpoint", "fraud"], 3, "--endpoint fraud: the verdict is of churn-endpoint"),
        (["--max-age", "1m"], 3, "ago, at 2026-11-20T00:00:00Z"),
        (["--max-age", "a week"], 2, "--max-age a week: expected a length such as 7d"),
    ],
)
def test_a_verdict_that_is_not_meant_is_refused_with_the_reason(
    asked: list[str], code: int, complaint: str
) -> None:
    done = here("verdict", TAIL / "expected_verdict.json", "--format", "json", *asked)
    assert done.returncode == code, done.stderr
    assert complaint in done.stderr
    assert bool(done.stdout) is (code == 20)


def test_a_run_leaves_a_list_of_tests_also_when_it_fails(out: Path, tmp_path: Path) -> None:
    printed = here("verdict", out, "--format", "junit")
    assert printed.returncode == 20
    assert printed.stdout == (out / "junit.xml").read_text(encoding="utf-8")
    here("run", tmp_path / "nowhere", "--out", out)
    failed = JUnitXml.fromfile(str(out / "junit.xml"))
    assert (failed.tests, failed.errors, failed.failures) == (1, 1, 0)


def test_github_gets_annotations_and_its_summary_in_the_file_it_names(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    summary.write_text("of the step before\n", encoding="utf-8")

    def asked(file: Path) -> subprocess.CompletedProcess[str]:
        command = ("verdict", TAIL / "expected_verdict.json", "--format", "github")
        return here(*command, env={"GITHUB_STEP_SUMMARY": file})

    done = asked(summary)
    assert done.returncode == 20
    lines = done.stdout.splitlines()
    assert [line.split("::")[1] for line in lines] == [
        "error title=REJECT",
        "error title=latency_p99",
    ]
    markdown = here("verdict", TAIL / "expected_verdict.json", "--format", "markdown").stdout
    assert summary.read_text(encoding="utf-8") == f"of the step before\n{markdown}"
    refused = asked(tmp_path)
    assert refused.returncode == 5
    assert "$GITHUB_STEP_SUMMARY: cannot be written: Is a directory" in refused.stderr


def test_outside_github_the_summary_is_printed_below_the_annotations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    done = here("verdict", TAIL / "expected_verdict.json", "--format", "github")
    markdown = here("verdict", TAIL / "expected_verdict.json", "--format", "markdown").stdout
    assert done.stdout.endswith(markdown)


def test_a_failed_run_leaves_no_stale_verdict(out: Path, tmp_path: Path) -> None:
    done = analyzer("run", tmp_path / "nowhere", "--out", out)
    assert done.returncode == 3
    assert done.stdout == ""
    verdict = bundle.read(out).verdict
    assert verdict.decision.value == "ERROR"
    assert verdict.exit_code == 3
    assert verdict.metrics == {}


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["run"], 2, "nothing to read"),
        (["run", TAIL / "captures", "--production", "x", "--shadow", "y"], 2, "churn"),
        (["run", TAIL / "captures", "--endpoint", "nobody"], 2, "nobody"),
        (["run", TAIL / "captures", "--since", "yesterday"], 2, "ISO 8601"),
        (["run", TAIL / "captures", "--set", "alhpa=1"], 2, "did you mean 'alpha'"),
        (["run", TAIL / "captures", "--set", "inference=fixed"], 2, "set final = true"),
        (["run", TAIL / "captures", "--cloudwatch", "nowhere.json"], 3, "nowhere.json"),
        (["run", TAIL / "captures", "--since", "2031-01-01"], 3, "--since 2031-01-01T"),
        (["run", TAIL / "captures", "--format", "yaml"], 2, "yaml"),
        (["run", TAIL / "captures", "--memory-limit", "lots"], 2, "--memory-limit 'lots'"),
        (["run", TAIL / "captures", "--memory-limit", "-5GB"], 2, "such as 500MB"),
        (["run", "--wat"], 2, "--wat"),
        (["report", "nowhere"], 3, "nowhere"),
        (["verdict"], 2, "name a bundle"),
        (["explain", "latncy_p99"], 2, "did you mean 'latency_p99'"),
    ],
)
def test_a_mistake_is_one_line_and_the_right_code(
    arguments: list[str | Path], code: int, complaint: str, tmp_path: Path
) -> None:
    done = here(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


S3 = "s3://my-bucket/x"
FROM_S3 = "aws s3 cp --recursive s3://my-bucket/x FOLDER"
TO_S3 = "aws s3 cp --recursive FOLDER s3://my-bucket/x"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", TAIL / "captures", "--out", S3], f"--out {S3}: a bundle is written to a folder; "),
        (["run", TAIL / "captures", "--out", S3], TO_S3),
        (["demo", f"--out={S3}"], TO_S3),
        (["metrics", "e", "--out", S3], TO_S3),
        (["replay", "c", "--candidate", "http://127.0.0.1:1", "--out", S3], TO_S3),
        (["run", "c", "--out", "gs://my-bucket/x"], "--out gs://my-bucket/x: a bundle is written"),
        (["report", "x", "--html", f"{S3}.html"], "aws s3 cp FILE s3://my-bucket/x.html"),
        (["run", "c", "--cloudwatch", S3], f"--cloudwatch {S3}: an export is read from a folder"),
        (["run", "c", "--cloudwatch", f"shadow={S3}"], FROM_S3),
        (["run", "c", "--cloudwatch", f"{S3}.csv"], "aws s3 cp s3://my-bucket/x.csv FILE"),
        (["run", "c", "--policy", S3], "aws s3 cp s3://my-bucket/x FILE"),
        (["doctor", "c", "--endpoint-file", S3], "aws s3 cp s3://my-bucket/x FILE"),
        (["policy", S3], "aws s3 cp s3://my-bucket/x FILE"),
        (["verdict", S3], FROM_S3),
        (["diff", "x", S3], FROM_S3),
        (["report", S3], FROM_S3),
        (["promote", S3, "--endpoint", "e"], FROM_S3),
    ],
)
def test_an_address_where_only_a_path_can_stand_is_refused_with_how_to_copy(
    arguments: list[str | Path], complaint: str, tmp_path: Path
) -> None:
    done = here(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert complaint in done.stderr
    assert not [path for path in tmp_path.iterdir() if ":" in path.name]


def test_whatever_is_a_path_on_the_command_line_refuses_an_address() -> None:
    paths = [
        (command.__name__, name, given)
        for command in COMMANDS
        for name, hint in get_type_hints(command, include_extras=True).items()
        for given in getattr(hint, "__metadata__", ())
        if "Path" in str(hint)
    ]
    assert {name for _, name, _ in paths} >= {"out", "policy", "html", "first", "endpoint_file"}
    assert not [(command, name) for command, name, given in paths if given.callback is None]


@pytest.mark.parametrize(
    ("mistake", "complaint"),
    [
        (["--fail-on", "bogus"], "--fail-on: 'bogus' is not one of 'hold', 'reject', 'never'"),
        (["--bogus"], "no such option: --bogus"),
        (["--prodution", "x"], "no such option: --prodution (Possible options: --production)"),
        (["--policy"], "option '--policy' requires an argument"),
    ],
)
def test_arguments_that_cannot_be_parsed_are_one_sentence_and_an_error_verdict(
    mistake: list[str], complaint: str, out: Path
) -> None:
    done = analyzer("run", TAIL / "captures", "--out", out, *mistake)
    assert (done.returncode, done.stdout) == (2, "")
    said = f"{complaint}; see `{sys.executable} -m analyzer run --help`"
    assert done.stderr == f"error: {said}\n"
    verdict = bundle.read(out).verdict
    assert (verdict.decision.value, verdict.exit_code, verdict.summary) == ("ERROR", 2, f"{said}.")


@pytest.mark.parametrize(
    "mistake", [["--cloudwatch", "s3://bucket/x"], ["--policy", ""], ["--master", "local"]]
)
def test_a_run_that_is_refused_before_it_begins_leaves_an_error_verdict(
    mistake: list[str], out: Path
) -> None:
    done = here("run", TAIL / "captures", "--out", out, *mistake)
    assert (done.returncode, done.stdout) == (2, "")
    verdict = bundle.read(out).verdict
    assert (verdict.decision.value, verdict.exit_code) == ("ERROR", 2)
    assert f"{done.stderr.rstrip()}." == f"error: {verdict.summary}"


def test_an_error_s_summary_is_a_sentence_and_names_nothing_as_measured(tmp_path: Path) -> None:
    done = here("run", "nowhere", "--out", "out", cwd=tmp_path)
    assert done.returncode == 3
    summary = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert "no such file or folder. Mend the cause and run again." in summary
    assert "measured" not in summary
    assert "CloudWatch" not in summary


def test_a_misspelt_flag_is_only_held_against_those_like_it(tmp_path: Path) -> None:
    done = here("promote", tmp_path, "--endpoint", "churn", "--dry-run")
    assert done.returncode == 2
    assert "no such option: --dry-run;" in done.stderr


def test_a_folder_that_is_no_bundle_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "verdict.md").write_text("mine", encoding="utf-8")
    done = here("run", TAIL / "captures", "--out", tmp_path, "--bogus")
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["verdict.md"]


def test_a_folder_that_no_file_system_can_name_is_refused(tmp_path: Path) -> None:
    done = here("run", TAIL / "captures", "--out", tmp_path / ("x" * 300), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --out: a name of 300 bytes")


def test_help_leaves_the_bundle_alone(out: Path) -> None:
    assert analyzer("run", "--out", out, "--help").returncode == 0
    assert bundle.read(out).verdict.decision.value == "REJECT"


def test_no_command_at_all_is_a_usage_error_that_shows_the_help() -> None:
    done = analyzer()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == analyzer("--help").stdout


def test_help_cuts_no_sentence_short() -> None:
    shown = analyzer("--help").stdout
    assert "Commands:" in shown
    assert [line for line in shown.splitlines() if line.endswith("...")] == [
        "Usage: python -m analyzer [OPTIONS] COMMAND [ARGS]..."
    ]


def test_a_port_in_use_is_said_before_the_address(rejected: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = here("report", rejected, "--port", str(port))
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"error: --port {port}: in use\n"


@pytest.mark.parametrize(
    ("started", "path", "shown"),
    [
        ("bin/analyzer", "", "bin/analyzer"),
        pytest.param("./bin/analyzer", "elsewhere", "./bin/analyzer", marks=pytest.mark.long),
        ("analyzer", "bin", "analyzer"),
    ],
)
def test_the_next_command_can_be_typed_where_the_tool_was_started(
    started: str, path: str, shown: str, out: Path, tmp_path: Path
) -> None:
    """A script as pip writes it, started by its path or found on PATH, another one lying there."""
    for folder in ("bin", "elsewhere"):
        script = tmp_path / folder / "analyzer"
        script.parent.mkdir()
        script.write_text(
            f"#!{sys.executable}\nfrom analyzer.__main__ import main\nmain()\n", encoding="utf-8"
        )
        script.chmod(0o755)
    done = subprocess.run(
        [shutil.which(started, path=str(tmp_path / path)) or started, "verdict", out.name],
        cwd=tmp_path,
        env={**os.environ, "PATH": str(tmp_path / path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 20, done.stderr
    assert done.stdout.splitlines()[-1] == f"report: {shown} report out"


def test_captures_alone_hold_and_say_what_to_export(tmp_path: Path) -> None:
    done = analyzer("run", TAIL / "captures", "--policy", TAIL / "policy.toml", "--out", tmp_path)
    assert done.returncode == 10, done.stderr
    verdict = bundle.read(tmp_path).verdict
    assert verdict.subject.mode.value == "captures"
    assert verdict.metrics["latency_mean"].outcome.value == "unresolved"
    needs = verdict.metrics["latency_mean"].needs
    assert needs is not None
    assert needs.text == "Export ModelLatency (Average, SampleCount; 60 s) of both variants."
    how = [note.text for note in verdict.notes if note.code == "how-to-export"]
    assert len(how) == 1
    assert how[0].startswith("analyzer metrics ")


def test_metrics_alone_judge_latency_and_errors(tmp_path: Path) -> None:
    done = from_metrics(tmp_path)
    assert done.returncode == 20, done.stderr
    verdict = bundle.read(tmp_path).verdict
    assert verdict.subject.mode.value == "metrics"
    assert verdict.metrics["latency_p99"].outcome.value == "fail"
    assert verdict.metrics["contract_change"].outcome.value == "unresolved"


def test_the_demo_works_from_any_folder(tmp_path: Path) -> None:
    done = analyzer("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("analyzer report demo")
    assert bundle.read(tmp_path / "demo").verdict.decision.value == "REJECT"


def test_every_metric_and_gate_is_explained() -> None:
    from analyzer.gates import GATES
    from analyzer.metrics import METRICS
    from analyzer.report.explain import explanation

    for metric in METRICS:
        assert metric.meaning in explanation(metric.id)
    for gate in GATES:
        assert gate.meaning in explanation(f"gate-{gate.id.replace('_', '-')}")


def test_the_schema_is_printed() -> None:
    assert json.loads(here("verdict", "--schema").stdout)["title"] == "Verdict"


def test_the_default_policy_is_printed_and_valid(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(here("policy").stdout, encoding="utf-8")
    assert here("policy", path).stdout == f"{path}: valid\n"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['analyzer', '--help']\n"
        "try: runpy.run_module('analyzer', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([m for m in ('duckdb', 'polars', 'numpy', 'scipy', 'boto3', 'streamlit', "
        "'pydantic') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_a_run_imports_neither_pandas_nor_the_statistics_distributions(ran: Ran) -> None:
    """A run needs none of them, and pandas alone would be a tenth of a small one."""
    assert {"polars", "altair", "scipy.special"} <= ran.imported
    assert not {"pandas", "scipy.stats", "boto3", "streamlit"} & ran.imported


def test_the_version_is_printed() -> None:
    command = [sys.executable, "-m", "analyzer", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "shadow-analyzer 0.1.0\n")


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(["policy"], marks=pytest.mark.long), ["explain", "latency_p99"], ["--help"]],
)
def test_output_that_cannot_be_written_is_exit_code_5(arguments: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 5
    assert done.stderr == "error: output could not be written: No space left on device\n"


@pytest.mark.parametrize(
    ("number", "code", "after_s"),
    [
        (signal.SIGTERM, 143, 0.6),
        (signal.SIGINT, 130, 1.2),
        pytest.param(signal.SIGINT, 130, 0.6, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 143, 1.2, marks=pytest.mark.long),
    ],
)
def test_a_signal_ends_a_run_with_its_code_and_no_traceback(
    number: int, code: int, after_s: float, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "analyzer", "run", str(TAIL / "captures")]
    command += ["--cloudwatch", str(TAIL / "cloudwatch"), "--out", str(tmp_path / "out")]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        running.wait(after_s)
    except subprocess.TimeoutExpired:
        running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == code, said
    assert "Traceback" not in said


def test_an_odd_locale_garbles_nothing(rejected: Path, tmp_path: Path) -> None:
    out = shutil.copytree(rejected, tmp_path / "out of order")
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "verdict", str(out), "--format", "markdown"],
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 20
    assert done.stdout == (out / "summary.md").read_bytes()
    assert here("verdict", out).stdout.rstrip().endswith(f"analyzer report '{out}'")


def test_the_static_report_is_written_beside_a_bundle_and_not_into_it(
    out: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    assert analyzer("report", out, "--html", page, drawn=True).returncode == 0
    assert "<svg " in page.read_text(encoding="utf-8")
    assert page.read_bytes() == (out / "report.html").read_bytes()
    refused = here("report", out, "--html", out / "page.html")
    assert refused.returncode == 2
    assert "lies in the bundle" in refused.stderr
    bundle.read(out)
