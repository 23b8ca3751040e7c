"""Are these the two variants of one test, deployed as stated, and read completely?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from analyzer.endpoint import read_endpoint, read_endpoints
from analyzer.gates.identity import IDENTITY_GATES
from analyzer.metrics.metric import CaptureFacts, EndpointFacts
from analyzer.model import GateOutcome, Inputs, Ledger, Mode, Pairing
from tests.endpoint_files import write_endpoint
from tests.metrics.points import START, facts_of, policy_of, shadow_test

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.metrics.metric import Facts
    from analyzer.model import Gate

CHECKS = {gate.id: gate.check for gate in IDENTITY_GATES}
HOUR = START + timedelta(hours=1)


def check(facts: Facts, gate: str) -> Gate:
    return CHECKS[gate](facts, {})


def captures(
    production: int = 3_000,
    shadow: int = 3_000,
    *,
    pairs: int = 2_000,
    identical: int = 0,
    same_objects: bool = False,
    lines: int = 6_000,
    malformed: int = 0,
) -> CaptureFacts:
    return CaptureFacts(
        ledger=Ledger(pairs=pairs, lines=lines, malformed=malformed),
        pairing=Pairing(),
        production_records=production,
        shadow_records=shadow,
        same_objects=same_objects,
        first_at=None,
        last_at=None,
        tables={"pairing_facts": pa.table({"identical_outputs": [identical]})},
    )


def facts(captured: CaptureFacts | None = None, **options: object) -> Facts:
    points = shadow_test(60 / 1440).points()
    return facts_of(points, end=HOUR, captures=captured, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("gate", ["roles", "endpoint_match", "objects"])
def test_an_ordinary_run_opens_the_gate(gate: str) -> None:
    assert check(facts(captures()), gate).outcome is GateOutcome.PASS
    assert check(facts(), gate).outcome is GateOutcome.PASS


def test_more_shadow_records_than_production_records_closes_roles() -> None:
    assert check(facts(captures(3_000, 3_020)), "roles").outcome is GateOutcome.PASS
    held = check(facts(captures(3_000, 3_040)), "roles")
    assert held.outcome is GateOutcome.FAIL
    assert held.value == pytest.approx(3_040 / 3_000)


def test_lines_that_are_missing_from_production_are_said_before_roles_are_suspected() -> None:
    cut = check(facts(captures(3_000, 3_060, malformed=60)), "roles")
    assert cut.outcome is GateOutcome.FAIL
    assert "60 lines that could not be read may be production's" in cut.text
    few = check(facts(captures(3_000, 3_600, malformed=60)), "roles")
    assert "The roles may be swapped" in few.text
    assert IDENTITY_GATES[0].id == "objects"  # whose reason is given first


def test_more_shadow_invocations_than_production_invocations_closes_roles() -> None:
    test = shadow_test(0.5, sampling=0.5)
    test.production, test.shadow = test.shadow, test.production
    assert check(test.facts(), "roles").outcome is GateOutcome.FAIL


def test_the_same_objects_on_both_sides_close_roles() -> None:
    assert check(facts(captures(same_objects=True)), "roles").outcome is GateOutcome.FAIL


def test_the_same_metric_series_on_both_sides_closes_roles() -> None:
    test = shadow_test(0.5)
    test.shadow.mean_ms = test.production.mean_ms.copy()
    assert check(test.facts(), "roles").outcome is GateOutcome.FAIL


def test_a_copied_series_is_known_when_it_was_cut_or_rounded_or_is_there_in_part() -> None:
    for kept in (slice(0, 700), slice(600, None), slice(0, 100)):
        test = shadow_test(0.5, slower=1.3)
        copied = np.round(test.production.mean_ms[kept], 3)  # whole microseconds
        test.shadow.mean_ms[kept] = copied
        if kept.stop == 700:  # the rest was never exported
            test.shadow.mean_ms[700:] = np.nan
        held = check(test.facts(), "roles")
        assert held.outcome is GateOutcome.FAIL
        assert "ModelLatency Average (per minute) agrees" in held.text


def test_a_tail_that_is_productions_closes_roles_though_the_means_differ() -> None:
    points = shadow_test(0.5, slower=1.3).points()
    p99 = (pl.col("stat") == "p99") & (pl.col("period_s") == 300)
    copied = points.filter(p99, pl.col("role") == "production").with_columns(role=pl.lit("shadow"))
    mixed = pl.concat([points.filter(~(p99 & (pl.col("role") == "shadow"))), copied])
    held = check(facts_of(mixed, end=START + timedelta(hours=12)), "roles")
    assert held.outcome is GateOutcome.FAIL
    assert "p99 (per 5 minutes)" in held.text


def test_whole_milliseconds_that_agree_by_chance_leave_roles_open() -> None:
    test = shadow_test(0.5)
    for side in (test.production, test.shadow):
        side.mean_ms = np.round(side.mean_ms / side.mean_ms.mean() * 7)
    assert check(test.facts(), "roles").outcome is GateOutcome.PASS


def test_fast_and_steady_medians_that_meet_by_chance_leave_roles_open() -> None:
    rng = np.random.default_rng(1)
    points = shadow_test(3).points()
    median = (pl.col("stat") == "p50") & (pl.col("period_s") == 3600)
    production = points.filter(median, pl.col("role") == "production")
    common = 0.8 * np.exp(0.08 * np.sin(np.arange(72) * 2 * np.pi / 24))
    sides = [
        points.filter(median, pl.col("role") == role).with_columns(
            value=pl.Series(np.round(common * np.exp(0.002 * rng.normal(size=72)), 3))
        )
        for role in ("production", "shadow")
    ]
    met = int((sides[0]["value"] == sides[1]["value"]).sum())
    assert met > 0.1 * production.height
    honest = facts_of(pl.concat([points.filter(~median), *sides]))
    assert check(honest, "roles").outcome is GateOutcome.PASS
    copied = sides[0].with_columns(role=pl.lit("shadow"), variant=pl.lit("model-shadow"))
    held = check(facts_of(pl.concat([points.filter(~median), sides[0], copied])), "roles")
    assert held.outcome is GateOutcome.FAIL


def test_a_changed_model_with_identical_outputs_is_no_change() -> None:
    same = captures(pairs=2_000, identical=2_000)
    held = check(facts(same), "roles")
    assert held.outcome is GateOutcome.FAIL
    assert "no-change-observed" in held.text
    infrastructure = policy_of(change="infrastructure")
    assert check(facts(same, policy=infrastructure), "roles").outcome is GateOutcome.PASS
    nearly = captures(pairs=2_000, identical=1_999)
    assert check(facts(nearly), "roles").outcome is GateOutcome.PASS


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (EndpointFacts(), None),
        (EndpointFacts(production_variant="model-production"), None),
        (
            EndpointFacts(production_variant="model-shadow", shadow_variant="model-production"),
            "the production is model-shadow; this run took model-production for it",
        ),
        (EndpointFacts(shadow_variant="model-v3"), "the shadow is model-v3"),
    ],
)
def test_roles_that_endpoint_json_gives_to_other_variants_are_not_believed(
    told: EndpointFacts, said: str | None
) -> None:
    held = check(facts(captures(), endpoint=told), "roles")
    assert (held.outcome is GateOutcome.FAIL) == (said is not None)
    assert said is None or said in held.text


BACKWARDS = {"production": "churn-v2-Shadow", "shadow": "churn-v1"}


def named(called: dict[str, str], **options: object) -> Facts:
    return replace(facts(captures(), **options), called=called)


def test_captures_swapped_against_endpoint_json_close_roles_without_any_metrics() -> None:
    told = EndpointFacts(production_variant="v1", shadow_variant="v2")
    bare = facts_of(pl.DataFrame(schema=facts().metric_points.schema), end=HOUR)
    for called, outcome in (
        ({"production": "v2", "shadow": "v1"}, GateOutcome.FAIL),
        ({"production": "v1", "shadow": "v2"}, GateOutcome.PASS),
        ({"production": "before", "shadow": "after"}, GateOutcome.PASS),
    ):
        test = replace(bare, captures=captures(), endpoint=told, called=called)
        assert check(test, "roles").outcome is outcome


def test_a_variant_called_shadow_that_was_given_as_production_closes_roles() -> None:
    held = check(named(BACKWARDS), "roles")
    assert held.outcome is GateOutcome.FAIL
    assert "production is called churn-v2-Shadow, and the shadow churn-v1" in held.text
    assert "--endpoint-file" in held.text


@pytest.mark.parametrize(
    ("production", "shadow"),
    [("churn-v1", "churn-v2-shadow"), ("shadow-a", "shadow-b"), ("blue", "green")],
)
def test_names_that_do_not_say_that_the_roles_are_swapped_leave_them_open(
    production: str, shadow: str
) -> None:
    honest = named({"production": production, "shadow": shadow})
    assert check(honest, "roles").outcome is GateOutcome.PASS


def test_endpoint_json_knows_better_than_the_names() -> None:
    for told in (
        EndpointFacts(production_variant="churn-v2-Shadow"),
        EndpointFacts(shadow_variant="churn-v1"),
    ):
        without_points = facts().metric_points.clear()
        believed = replace(named(BACKWARDS), endpoint=told, metric_points=without_points)
        assert check(believed, "roles").outcome is GateOutcome.PASS
    silent = named(BACKWARDS, endpoint=EndpointFacts(name="churn"))
    assert check(silent, "roles").outcome is GateOutcome.FAIL


def test_a_replay_knows_its_candidate_whatever_the_captured_variant_is_called() -> None:
    replayed = replace(named(BACKWARDS), mode=Mode.REPLAY)
    assert check(replayed, "roles").outcome is GateOutcome.PASS


def test_roles_are_closed_when_nothing_was_counted() -> None:
    nothing = facts_of(shadow_test(0.1).points().clear())
    assert check(nothing, "roles").closed


@pytest.mark.parametrize(
    ("endpoint", "outcome"),
    [
        (None, GateOutcome.NOT_MEASURED),
        (EndpointFacts(), GateOutcome.NOT_MEASURED),
        (EndpointFacts(live_since=START - timedelta(days=1)), GateOutcome.PASS),
        (EndpointFacts(live_since=START + timedelta(minutes=5)), GateOutcome.FAIL),
    ],
)
def test_a_configuration_must_be_live_over_the_whole_window(
    endpoint: EndpointFacts | None, outcome: GateOutcome
) -> None:
    held = check(facts(endpoint=endpoint), "deployment")
    assert held.outcome is outcome
    assert held.when_not_measured == "note"
    assert ("--since 2026-11-16T00:" in held.text) == (outcome is GateOutcome.FAIL)


@pytest.mark.parametrize("at_earliest", [True, False])
def test_a_time_that_scaling_hides_is_not_told_as_known(*, at_earliest: bool) -> None:
    since = START - timedelta(days=1)
    endpoint = EndpointFacts(live_since=since, live_since_at_earliest=at_earliest)
    held = check(facts(endpoint=endpoint), "deployment")
    assert held.outcome is GateOutcome.PASS
    assert ("is not known" in held.text) is at_earliest
    assert ("live since 2026-11-15T00:00:00Z" in held.text) is not at_earliest


@pytest.mark.parametrize(
    ("minute", "scaled", "outcome"),
    [
        (30, False, GateOutcome.FAIL),
        (30, True, GateOutcome.FAIL),
        (-30, False, GateOutcome.PASS),
        (90, True, GateOutcome.FAIL),
    ],
    ids=["inside", "inside, hidden by scaling", "before", "unknown until after"],
)
def test_a_configuration_that_came_between_two_exports_closes_the_window_it_lies_in(
    tmp_path: Path, minute: int, outcome: GateOutcome, *, scaled: bool
) -> None:
    before, changed = START - timedelta(days=1), START + timedelta(minutes=minute)
    activity = [(changed - timedelta(minutes=1), changed)] if scaled else []
    first = write_endpoint(tmp_path / "a", "churn-6", before)
    then = write_endpoint(tmp_path / "b", "churn-7", changed, created=before, scaled=activity)
    assert check(facts(endpoint=read_endpoint(first)), "deployment").outcome is GateOutcome.PASS
    endpoint, _ = read_endpoints([first, then], None)
    held = check(facts(endpoint=endpoint), "deployment")
    assert held.outcome is outcome
    assert (f"--since {changed:%Y-%m-%dT%H:%M}" in held.text) == (outcome is GateOutcome.FAIL)


def test_a_change_within_an_experiment_closes_the_window_it_lies_in(tmp_path: Path) -> None:
    variants = [{"ShadowModelVariantName": "Shadow-01"}]
    mode = {"SourceModelVariantName": "AllTraffic", "ShadowModelVariants": variants}
    running = {"Schedule": {"StartTime": str(START)}, "ShadowModeConfig": mode}
    changed = START + timedelta(minutes=30)
    paths = [
        write_endpoint(tmp_path / "a", "exp-1", START, experiment=running),
        write_endpoint(tmp_path / "b", "exp-2", changed, experiment=running),
    ]
    for path in paths:
        alone = facts(endpoint=read_endpoint(path))
        assert check(alone, "deployment").outcome is GateOutcome.PASS
    endpoint, _ = read_endpoints(paths, None)
    held = check(facts(endpoint=endpoint), "deployment")
    assert held.outcome is GateOutcome.FAIL
    assert "configuration changed 1 time inside the window; use --since 2026-11-16T00:30" in (
        held.text
    )


def test_rows_of_two_endpoints_close_endpoint_match() -> None:
    points = shadow_test(60 / 1440).points()
    other = points.head(5).with_columns(endpoint=pl.lit("another"))
    mixed = facts_of(pl.concat([points, other]), end=HOUR, endpoints=("another", "churn"))
    assert check(mixed, "endpoint_match").outcome is GateOutcome.FAIL
    nameless = points.with_columns(endpoint=pl.lit(None, pl.String))
    unclear = facts_of(nameless, end=HOUR, endpoints=("another", "churn"))
    assert check(unclear, "endpoint_match").outcome is GateOutcome.FAIL


def test_rows_of_another_endpoint_that_were_left_out_are_counted() -> None:
    held = check(
        facts(endpoints=("another", "churn"), dropped={"other-endpoint": 7}), "endpoint_match"
    )
    assert held.outcome is GateOutcome.PASS
    assert "7 rows" in held.text


def test_more_captured_records_than_invocations_are_of_another_endpoint() -> None:
    held = check(facts(captures(50_000, 40_000, lines=90_000)), "endpoint_match")
    assert held.outcome is GateOutcome.FAIL


def test_no_rows_block_only_when_several_endpoints_were_named() -> None:
    empty = shadow_test(0.1).points().clear()
    assert not check(facts_of(empty, endpoints=()), "endpoint_match").closed
    assert check(facts_of(empty, endpoints=("a", "b")), "endpoint_match").closed


def test_an_object_that_could_not_be_read_closes_the_gate() -> None:
    inputs = Inputs(digest="sha256:0", objects_listed=9, objects_failed={"truncated-gzip": 1})
    assert check(facts(captures(), inputs=inputs), "objects").outcome is GateOutcome.FAIL


@pytest.mark.parametrize(("malformed", "open_"), [(6, True), (7, False)])
def test_too_many_rejects_close_the_gate(malformed: int, *, open_: bool) -> None:
    held = check(facts(captures(lines=6_000, malformed=malformed)), "objects")
    assert (held.outcome is GateOutcome.PASS) == open_
