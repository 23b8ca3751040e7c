"""Workflow commands: one line each, the level says what it means, no text can forge another."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model import Decision
from analyzer.report.github import render
from tests.examples import examples
from tests.report.verdicts import hostile, verdict


@pytest.mark.parametrize(
    ("decision", "levels"),
    [
        (Decision.PROMOTE, ["notice"]),
        (Decision.HOLD, ["warning"] * 4),
        (Decision.REJECT, ["error", "error"]),
        (Decision.ERROR, ["error", "error"]),
    ],
)
def test_the_level_says_what_the_decision_and_each_reason_mean(
    decision: Decision, levels: list[str]
) -> None:
    lines = render(verdict(decision)).splitlines()
    assert [line[2:].split(" ")[0] for line in lines] == levels
    assert lines[0].startswith(f"::{levels[0]} title={decision}::")


def test_a_reason_carries_its_advice_on_a_line_of_its_own() -> None:
    last = render(verdict(Decision.REJECT)).splitlines()[-1]
    assert last == (
        "::error title=latency_p99::p99 latency rose from 48.0 ms to 71.4 ms, at least +41 %25."
        "%0AProfile the slowest requests; replay captures against the candidate."
    )


@settings(max_examples=examples(30, whole=100))
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_ends_a_command_or_begins_another(text: str) -> None:
    for hostile_text in (text, f"\n::error::{text}", f"\r::set-output name=x::{text}", f",:{text}"):
        commands = render(hostile(hostile_text))
        assert len(commands.split("\n")) == 3
        assert "\r" not in commands
        for line in commands.splitlines():
            level, _, rest = line.partition(" title=")
            title, _, _ = rest.partition("::")
            assert level == "::warning"
            assert ":" not in title
            assert "," not in title
