"""Several endpoint.json files of one endpoint: the newest counts, and what changed is found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.endpoint import read_endpoint, read_endpoints
from analyzer.errors import InputError
from tests.endpoint_files import write_endpoint

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def experiment(**more: object) -> dict[str, Any]:
    return {
        "Name": "churn-shadow",
        "Status": "Running",
        "Schedule": {"StartTime": str(START), "EndTime": str(START + 20 * DAY)},
        "CreationTime": str(START - DAY),
        "ShadowModeConfig": {
            "SourceModelVariantName": "AllTraffic",
            "ShadowModelVariants": [{"ShadowModelVariantName": "Shadow-01"}],
        },
        **more,
    }


def test_no_file_says_nothing_and_one_what_it_says_alone(tmp_path: Path) -> None:
    assert read_endpoints([], None) == (None, ())
    path = write_endpoint(tmp_path, "churn-6", START, scaled=[(START + DAY, None)])
    assert read_endpoints([path], None) == (read_endpoint(path), ())


def test_the_newest_description_counts_with_the_scaling_of_all(tmp_path: Path) -> None:
    begun, over = START + 2 * DAY, START + 2 * DAY + 5 * MINUTE
    first = [(START + DAY, START + DAY + MINUTE), (begun, None)]
    paths = [
        write_endpoint(tmp_path / "a", "churn-6", begun, created=START, scaled=first),
        write_endpoint(tmp_path / "b", "churn-6", over, created=START, scaled=[(begun, over)]),
    ]
    for order in permutations(paths):
        facts, notes = read_endpoints(order, None)
        assert facts is not None
        assert facts.scaled_at == (START + DAY + MINUTE, over)
        assert (facts.live_since, facts.config_changes, notes) == (START, (), ())


@pytest.mark.parametrize("scaled", [False, True])
def test_a_configuration_is_as_new_as_it_can_be(tmp_path: Path, *, scaled: bool) -> None:
    modified = START + 9 * DAY
    activity = [(modified - MINUTE, modified)] if scaled else []
    paths = [
        write_endpoint(tmp_path / "new", "churn-7", modified, created=START, scaled=activity),
        write_endpoint(tmp_path / "old", "churn-6", START - DAY),
    ]
    assert read_endpoint(paths[0]).live_since == (START if scaled else modified)
    for order in permutations(paths):
        facts, (note,) = read_endpoints(order, "churn")
        assert facts is not None
        assert (facts.live_since, facts.config_changes) == (modified, (modified,))
        assert note.code == "configurations-differ"
        assert "churn-6 and later churn-7 (since 2026-11-10T00:00:00Z" in note.text


def test_a_configuration_that_came_back_was_away_in_between(tmp_path: Path) -> None:
    turns = (("churn-6", 1), ("churn-7", 4), ("churn-6", 6))
    paths = [
        write_endpoint(tmp_path / str(day), name, START + day * DAY, created=START)
        for name, day in turns
    ]
    for order in permutations(paths):
        facts, notes = read_endpoints(order, None)
        assert facts is not None
        assert facts.config_changes == (START + 4 * DAY, START + 6 * DAY)
        assert len(notes) == 2


def test_an_experiment_brings_its_configuration_when_it_starts(tmp_path: Path) -> None:
    paths = [
        write_endpoint(tmp_path / "before", "churn-6", START - 9 * DAY, shadow=None),
        write_endpoint(tmp_path / "in", "exp-1", START + 3 * DAY, experiment=experiment()),
    ]
    facts, _ = read_endpoints(paths, None)
    assert facts is not None
    assert (facts.live_since, facts.config_changes) == (START, (START,))


def test_an_endpoint_put_back_after_its_experiment_was_not_changed_in_it(tmp_path: Path) -> None:
    end = START + 20 * DAY
    over = experiment(Status="Completed", CompletionTime=str(end))
    paths = [
        write_endpoint(tmp_path / "in", "exp-1", START, experiment=experiment()),
        write_endpoint(
            tmp_path / "after", "churn-6", end + 5 * MINUTE, experiment=over, shadow=None
        ),
    ]
    facts, _ = read_endpoints(paths, None)
    assert facts is not None
    assert (facts.live_since, facts.config_changes) == (START, ())


def test_another_configuration_within_one_experiment_is_a_change(tmp_path: Path) -> None:
    changed = START + 3 * DAY
    paths = [
        write_endpoint(tmp_path / "a", "exp-1", START, experiment=experiment()),
        write_endpoint(tmp_path / "b", "exp-2", changed, experiment=experiment()),
    ]
    facts, _ = read_endpoints(paths, None)
    assert facts is not None
    assert facts.config_changes == (changed,)


def test_descriptions_of_other_endpoints_are_left_out_or_refused(tmp_path: Path) -> None:
    own = write_endpoint(tmp_path / "own", "churn-6", START)
    other = write_endpoint(tmp_path / "other", "fraud-1", START + DAY, name="fraud")
    assert read_endpoints([other, own], "churn") == (read_endpoint(own), ())
    with pytest.raises(InputError, match=r"several endpoints \(churn, fraud\); .*--endpoint"):
        read_endpoints([other, own], None)
    # Whose it is, is refused where the endpoint's name is known.
    assert read_endpoints([other], "churn") == (read_endpoint(other), ())
