"""What differs more often is judged no better, and a noise floor of nothing passes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.metrics.divergence import FLOORED
from analyzer.model import FloorShare, NoiseFloor, Outcome
from analyzer.policy.files import parse_policy
from tests.examples import examples
from tests.metrics.prediction_facts import counts_of, facts_of

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts

EVENTS = {
    "flip_rate": "flipped",
    "score_shift_share": "shifted",
    "score_large_shift_share": "large_shifted",
    "output_mismatch_share": "mismatched_pairs",
    "contract_change": "changed_pairs",
}
FROM_BEST = (Outcome.PASS, Outcome.UNRESOLVED, Outcome.FAIL)


@st.composite
def asked(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A metric, counts, and a policy that judges it."""
    metric = draw(st.sampled_from([*EVENTS]))
    pairs = draw(st.sampled_from([200, 2_000, 20_000, 200_000]))
    share = draw(st.sampled_from([0.0, 0.0005, 0.002, 0.01, 0.03, 0.06, 0.3, 0.6, 1.0]))
    rare = draw(st.sampled_from([0.005, 0.02, 0.25]))
    counts = counts_of(
        pairs,
        mismatched_pairs=0,
        production_at_or_above=int(rare * pairs),
        production_below=pairs - int(rare * pairs),
    )
    margin = draw(st.sampled_from([0.001, 0.01, 0.05, 0.2]))
    policy = {
        "change": draw(st.sampled_from(["model", "infrastructure"])),
        "metrics": {metric: {"margin": margin, "role": "review"}},
        "predictions": {"tolerance": 0.001},
    }
    return metric, counts | {EVENTS[metric]: int(share * pairs)}, policy


def outcome(facts: Facts, metric: str) -> int:
    """0 for the best."""
    found = BY_ID[metric].assess(facts, facts.policy.metrics[metric])
    assert found.outcome in FROM_BEST
    return FROM_BEST.index(found.outcome)


def of(counts: dict[str, Any], policy: dict[str, Any]) -> Facts:
    return facts_of(counts, policy=parse_policy(policy, DEFAULTS))


@settings(max_examples=examples(150, whole=3_000), deadline=None)
@given(asked(), st.integers(1, 5_000))
def test_more_that_differs_is_judged_no_better(
    case: tuple[str, dict[str, Any], dict[str, Any]], more: int
) -> None:
    metric, counts, policy = case
    events = EVENTS[metric]
    worse = counts | {events: min(counts[events] + more, counts["pairs"])}
    assert outcome(of(worse, policy), metric) >= outcome(of(counts, policy), metric)


@settings(max_examples=examples(150, whole=3_000), deadline=None)
@given(asked(), st.integers(100, 1_000_000))
def test_a_floor_of_nothing_passes_nothing_that_would_not_pass_without(
    case: tuple[str, dict[str, Any], dict[str, Any]], seen: int
) -> None:
    metric, counts, policy = case
    nothing = FloorShare(events=0, outcomes=seen, effective=seen)
    floor = NoiseFloor(
        source="captures",
        digest="sha256:floor",
        endpoint=None,
        production_model=None,
        kind="probability",
        pairs=seen,
        distinct_inputs=seen,
        shares=dict.fromkeys(FLOORED, nothing),
    )
    alone = of(counts, policy)
    above = outcome(replace(alone, floor=floor), metric)
    # few that production was compared with itself may make a failure doubtful
    assert above > 0 or outcome(alone, metric) == 0


@settings(max_examples=examples(100, whole=2_000), deadline=None)
@given(asked(), st.sampled_from([1.5, 4, 40]))
def test_surroundings_that_change_and_inputs_that_repeat_pass_nothing_more(
    case: tuple[str, dict[str, Any], dict[str, Any]], repeated: float
) -> None:
    metric, counts, policy = case
    alone = outcome(of(counts, policy | {"change": "model"}), metric)
    same = outcome(of(counts, policy | {"change": "infrastructure"}), metric)
    squares = {name: repeated * n for name, n in counts.items() if name.endswith("_squares")}
    again = outcome(of(counts | squares, policy | {"change": "model"}), metric)
    assert same > 0 or alone == 0
    assert again > 0 or alone == 0
