"""No name, note or identifier of a verdict is a command for the CI system that reads the log."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analyzer.cli.flags import Format
from analyzer.cli.showing import print_page, show
from analyzer.console.messages import LogFormat, line
from analyzer.model import Decision, Verdict
from analyzer.report import evaluation, github, junit, markdown
from analyzer.report.content import PAGES
from analyzer.report.content.diff_page import diff_page
from analyzer.report.plain_text import printed_json
from analyzer.verdict.diff import difference
from tests.report.frames import tables
from tests.report.verdicts import verdict

COMMANDS = (
    "##vso[task.setvariable variable=x]y",
    "##VSO[task.complete result=Succeeded;]",
    "##[error]x",
    "::set-output name=a::b",
    "::error::x",
)
OBEYED = re.compile(r"(?im)##(vso)?\[|^\s*::(?!(notice|warning|error) title=)")


def forged(command: str) -> Verdict:
    """A verdict with a command as every name, and beside every text that may be anyone's."""
    body = json.loads(verdict(Decision.HOLD).to_json())
    body["summary"] = command
    body["subject"] |= dict.fromkeys(("endpoint", "production_variant", "shadow_variant"), command)
    note = {"code": command, "text": command}
    body["notes"] = [note]
    for part in ("metrics", "gates"):
        first = next(iter(body[part].values()))
        body[part] = {command: first, **body[part]}
    body["metrics"][command]["notes"] = [note]
    body["gates"][command]["text"] = command
    for reason in body["reasons"]:
        reason |= {"code": command, "metric": command, "text": command, "advice": command}
    return Verdict.model_validate_json(json.dumps(body))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", list(Format))
def test_a_printed_verdict_commands_nothing(
    command: str, form: Format, capsys: pytest.CaptureFixture[str]
) -> None:
    one = forged(command)
    show(one, Path("out"), form)
    for build in PAGES:
        print_page(build(one, tables(Decision.HOLD)), requests=True)
    said = capsys.readouterr().out
    assert not OBEYED.search(said)
    if form is Format.JSON:
        show(one, Path("out"), form)
        assert json.loads(capsys.readouterr().out) == json.loads(one.to_json())


@pytest.mark.parametrize("command", COMMANDS)
def test_no_other_output_of_a_verdict_commands_anything(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one = forged(command)
    found = difference(verdict(Decision.PROMOTE), one)
    print_page(diff_page(found))
    for said in (
        capsys.readouterr().out,
        markdown.render(diff_page(found)),
        printed_json(found.to_json()),
        printed_json(evaluation.render(one)),
        junit.render(one),
        github.render(one),
    ):
        assert not OBEYED.search(said)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", list(LogFormat))
def test_no_message_that_quotes_a_command_gives_it(command: str, form: LogFormat) -> None:
    assert not OBEYED.search(line("error", f"{command}\n{command}: no such file", form))


def test_the_check_finds_what_is_obeyed() -> None:
    assert all(OBEYED.search(f"x\n  {command}") for command in COMMANDS)
