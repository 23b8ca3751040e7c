"""What to export is named by each metric, how to export it by one note."""

from __future__ import annotations

import shlex

from analyzer.metrics.exports import how_to_export
from tests.metrics.points import assess_all, facts_of, shadow_test


def test_without_points_one_note_holds_the_command_window_and_names() -> None:
    facts = facts_of(shadow_test(0.1).points().clear())
    note = how_to_export(facts, assess_all(facts), endpoint="churn")
    assert note is not None
    assert note.code == "how-to-export"
    assert note.text.startswith("analyzer metrics churn --since ")
    assert facts.start is not None
    assert f"--since {facts.start:%Y-%m-%dT%H:%M}" in note.text
    assert "--out metrics " in note.text


def test_the_command_to_export_survives_a_shell_whatever_the_endpoint_is_called() -> None:
    facts = facts_of(shadow_test(0.1).points().clear())
    note = how_to_export(facts, assess_all(facts), endpoint="churn; rm -rf x")
    assert note is not None
    assert shlex.split(note.text)[:3] == ["analyzer", "metrics", "churn; rm -rf x"]


def test_where_nothing_is_missing_there_is_no_note() -> None:
    facts = shadow_test(1).facts()
    unmeasured = assess_all(facts)
    measured = {key: item for key, item in unmeasured.items() if item.effect is not None}
    assert measured
    assert how_to_export(facts, measured) is None
