"""Slices, end to end: a bad part holds a promotion, a part without a value is not lost."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import analysis, bundle, slices
from analyzer.console.progress import silent
from analyzer.engine import Engine
from analyzer.errors import PolicyError
from analyzer.metrics import DEFAULTS
from analyzer.model import Decision, Outcome, Verdict
from analyzer.policy.files import load_policy
from analyzer.report import markdown
from analyzer.report.content import predictions_page, verdict_page
from analyzer.report.content import test_cases as ci_cases
from analyzer.report.text import render
from analyzer.slices import sliced_inputs
from analyzer.verdict.cross_check import contradiction
from tests.examples import examples
from tests.test_analysis import PROMOTE, START

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from analyzer.analysis import Analysis
    from analyzer.model import Slice, SliceBin

    Scores = npt.NDArray[np.float64]

PAIRS = 6_000


def form(encoding: str, *, given: bool) -> str:
    """A record whose event, request, time, output and input, if given, are to be filled in."""
    kind = "application/json" if encoding == "JSON" else "text/csv"
    side = {"observedContentType": kind, "encoding": encoding}
    output = {**side, "encoding": "CSV", "mode": "OUTPUT", "data": "%(output)s"}
    event = {"eventId": "%(event)s", "inferenceId": "request %(name)s", "inferenceTime": "%(at)s"}
    capture: dict[str, object] = {"endpointOutput": output}
    if given:
        capture["endpointInput"] = {**side, "mode": "INPUT", "data": "%(data)s"}
    record = {"captureData": capture, "eventMetadata": event, "eventVersion": "0"}
    return json.dumps(record).replace('"%(data)s"', "%(data)s")


def put(
    folder: Path,
    inputs: Sequence[str | None],
    production: Scores,
    shadow: Scores,
    *,
    encoding: str = "CSV",
    step_s: int = 10,
) -> Path:
    forms = [form(encoding, given=given) for given in (False, True)]
    start = np.datetime64(int(START.timestamp()), "s")
    moments = (start + step_s * np.arange(len(inputs))).astype(str).tolist()
    for variant, scores in (("v1", production), ("v2-shadow", shadow)):
        hour = folder / "churn" / variant / "2026" / "11" / "16" / "00"
        hour.mkdir(parents=True)
        lines = [
            forms[data is not None]
            % {
                "event": f"00000000-0000-0000-0000-{k:012x}",
                "name": k,
                "at": f"{moments[k]}Z",
                "output": f"{score:.6f}",
                "data": json.dumps(data),
            }
            for k, (data, score) in enumerate(zip(inputs, scores.tolist(), strict=True))
        ]
        (hour / "00-00-000-a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def judged(source: Path, *policy: str, **request: object) -> Analysis:
    asked = analysis.Request(source=str(source), overrides=policy, **request)  # type: ignore[arg-type]
    return analysis.run(asked, silent)


def bins(held: Slice) -> dict[str, SliceBin]:
    from analyzer.verdict import part_name

    return {part_name(part): part for part in held.bins}


def planted(folder: Path, share: float = 0.16, pairs: int = PAIRS) -> Path:
    """A shadow that flips nothing but a part of the requests of region "south", a sixth of all."""
    rng = np.random.default_rng(3)
    scores = rng.uniform(0.05, 0.95, pairs)
    regions = np.array(["north", "east", "west", "centre", "islands", "south"])
    region = regions[np.arange(pairs) % 6]
    flipped = (region == "south") & (rng.random(pairs) < share)
    shadow = np.where(flipped, 1 - scores, scores)
    inputs = [f"{k},{place},{scores[k]:.3f}" for k, place in enumerate(region)]
    return put(folder, inputs, scores, shadow)


BY_REGION = 'slices={"input.2"="categories"}'


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `planted` writes, for all who only read it."""
    return planted(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="module")
def by_region(source: Path) -> Analysis:
    """How it is judged by region, for all who only look at it."""
    return judged(source, BY_REGION, use_cache=False)


def test_a_part_of_the_traffic_that_fails_holds_what_the_whole_would_promote(
    source: Path, by_region: Analysis
) -> None:
    whole, parts = judged(source).verdict, by_region.verdict
    assert parts.metrics == whole.metrics
    assert whole.metrics["flip_rate"].outcome is Outcome.PASS
    assert parts.metrics["flip_rate"].outcome is Outcome.PASS
    assert whole.slices == {}
    (held,) = parts.slices.values()
    found = bins(held)
    assert {name: part.shares["flip_rate"].outcome.value for name, part in found.items()} == {
        **dict.fromkeys(("north", "east", "west", "centre", "islands"), "pass"),
        "south": "fail",
    }
    assert all(part.pairs == PAIRS // 6 for part in held.bins)
    reasons = [reason for reason in parts.reasons if reason.code == "slice-review"]
    assert all("input.2 south (1 000 pairs)" in reason.text for reason in reasons)
    flips, large = (reason.text for reason in reasons)
    assert flips.startswith("Label flips in a part of the traffic")
    assert large.startswith("Large score shifts in a part of the traffic")
    assert not [reason for reason in whole.reasons if reason.code == "slice-review"]


def test_scores_that_move_far_in_one_part_without_a_flip_hold_by_that_part(
    tmp_path: Path,
) -> None:
    """Far is half a standard deviation of all of production's scores, not of the part's own."""
    rng = np.random.default_rng(8)
    pairs = 25_000
    south = np.arange(pairs) % 25 == 0
    scores = np.where(south, 0.1 + 0.01 * rng.random(pairs), rng.uniform(0.01, 0.99, pairs))
    shadow = np.where(south, scores + 0.3, scores)
    # within its own spread of 0.003 the north-west would have moved far
    west = np.arange(pairs) % 25 == 1
    scores[west] = 0.1 + 0.01 * rng.random(int(west.sum()))
    shadow[west] = scores[west] + 0.05
    region = np.select([south, west], ["south", "west"], "north")
    inputs = [f"{k},{place}" for k, place in enumerate(region)]
    source = put(tmp_path, inputs, scores, shadow, step_s=2)
    verdict = judged(source, BY_REGION).verdict
    whole = verdict.metrics["score_large_shift_share"]
    assert whole.outcome is Outcome.PASS
    found = bins(verdict.slices["input.2"])
    shares = {name: part.shares["score_large_shift_share"] for name, part in found.items()}
    assert {name: (share.events, share.outcome.value) for name, share in shares.items()} == {
        "north": (0, "pass"),
        "south": (1_000, "fail"),
        "west": (0, "pass"),
    }
    (reason,) = [reason for reason in verdict.reasons if reason.code == "slice-review"]
    assert reason.text.startswith("Large score shifts in a part of the traffic, input.2 south")
    assert all(part.shares["flip_rate"].events == 0 for part in found.values())


def test_a_failing_part_turns_a_promotion_into_a_hold_and_nothing_worse(
    by_region: Analysis,
) -> None:
    from analyzer.verdict import decide
    from tests.report.verdicts import verdict

    slices = by_region.verdict.slices
    clean = verdict(Decision.PROMOTE)
    assert decide(clean.metrics, clean.gates, {}, {}).decision is Decision.PROMOTE
    held = decide(clean.metrics, clean.gates, {}, slices)
    assert held.decision is Decision.HOLD
    assert held.reasons[0].code == "slice-review"
    bad = verdict(Decision.REJECT)
    assert decide(bad.metrics, bad.gates, {}, slices).decision is Decision.REJECT
    promoted = bundle.read_verdict(PROMOTE / "expected_verdict.json")
    assert contradiction(promoted) is None
    said = contradiction(promoted.model_copy(update={"slices": slices}))
    assert said == "the decision is PROMOTE, but the evidence says HOLD"


def scenario_with_a_bad_part(folder: Path) -> analysis.Request:
    """A tenth of the requests with the largest fourth input is decided the other way round."""
    captures = folder / "captures"
    shutil.copytree(PROMOTE / "captures", captures)
    for path in captures.glob("*/*shadow*/**/*.jsonl.gz"):
        records = [json.loads(text) for text in gzip.decompress(path.read_bytes()).splitlines()]
        for found in records:
            fourth = float(found["captureData"]["endpointInput"]["data"].split(",")[3])
            output = found["captureData"]["endpointOutput"]
            if fourth > 14.3 and found["eventMetadata"]["inferenceId"].endswith("3"):
                output["data"] = f"{1 - float(output['data'])}\n"
        text = "\n".join(map(json.dumps, records))
        path.write_bytes(gzip.compress(text.encode(), compresslevel=1))
    return analysis.Request(
        source=str(captures),
        cloudwatch=(str(PROMOTE / "cloudwatch"),),
        policy_file=PROMOTE / "policy.toml",
        use_cache=False,
    )


def test_a_scenario_that_promotes_is_held_by_one_planted_part_when_that_is_named(
    tmp_path: Path,
) -> None:
    from analyzer.verdict import decide

    named = ('slices={"input.4"="quantiles"}',)
    asked = replace(scenario_with_a_bad_part(tmp_path), overrides=named)
    verdict = analysis.run(asked, silent).verdict
    assert verdict.decision is Decision.HOLD
    assert {reason.code for reason in verdict.reasons} == {"slice-review"}
    unnamed = decide(verdict.metrics, verdict.gates, {}, {})
    assert unnamed.decision is Decision.PROMOTE


@pytest.mark.long
def test_the_planted_part_of_a_scenario_is_promoted_when_it_is_not_named(tmp_path: Path) -> None:
    asked = scenario_with_a_bad_part(tmp_path)
    assert analysis.run(asked, silent).verdict.decision is Decision.PROMOTE


def test_a_part_taken_out_of_a_verdict_or_called_a_pass_contradicts_the_rest(
    by_region: Analysis,
) -> None:
    verdict = by_region.verdict
    assert contradiction(verdict) is None
    without = verdict.model_copy(update={"slices": {}})
    assert contradiction(without) == "the reason slice-review has no evidence"
    silenced = without.model_copy(
        update={"reasons": tuple(r for r in verdict.reasons if r.code != "slice-review")}
    )
    assert contradiction(silenced) == "slice input.2 is in the policy only"
    text = verdict.to_json().replace('"outcome": "fail"', '"outcome": "pass"')
    assert contradiction(Verdict.model_validate_json(text)) is not None


def test_a_bad_part_of_fewer_than_a_thousand_pairs_is_pointed_at_and_holds_nothing(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(4)
    scores = rng.uniform(0.05, 0.95, 3_000)
    region = np.where(np.arange(3_000) < 900, "south", "north")
    shadow = np.where((region == "south") & (rng.random(3_000) < 0.15), 1 - scores, scores)
    inputs = [f"{k},{place}" for k, place in enumerate(region)]
    source = put(tmp_path, inputs, scores, shadow)
    verdict = judged(source, BY_REGION).verdict
    south = bins(verdict.slices["input.2"])["south"].shares["flip_rate"]
    assert (south.outcome, south.discovery) == (Outcome.UNRESOLVED, True)
    assert not [reason for reason in verdict.reasons if reason.code == "slice-review"]
    named = (
        "2 parts, 1 of fewer than 1 000 pairs above the margin for certain: "
        f"south (label flips {100 * south.estimate:.1f} %"
    )
    page = verdict_page(verdict)
    for said in (str(render(page)), markdown.render(page)):
        assert f": {named}" in said
        assert "none fails" in said.split(named)[1].splitlines()[0]
    (item,) = [one for one in ci_cases.test_cases(verdict) if one.name == "input.2"]
    assert (item.result, named in item.message) == ("passed", True)


def test_a_small_part_that_may_have_moved_by_chance_is_not_called_certain(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    scores = rng.uniform(0.05, 0.95, 3_000)
    region = np.where(np.arange(3_000) < 60, "south", "north")
    shadow = np.where((region == "south") & (np.arange(3_000) % 15 == 0), 1 - scores, scores)
    inputs = [f"{k},{place}" for k, place in enumerate(region)]
    verdict = judged(put(tmp_path, inputs, scores, shadow), BY_REGION).verdict
    south = bins(verdict.slices["input.2"])["south"].shares["flip_rate"]
    assert south.estimate > (south.allowed or 1.0)
    assert "- slices: input.2: 2 parts, none fails\n" in render(verdict_page(verdict))


@pytest.mark.parametrize(
    ("named", "by", "kind"),
    [
        pytest.param("input.4", "categories", "missing", marks=pytest.mark.long),
        ("input.4", "quantiles", "missing"),
        pytest.param("input.2", "quantiles", "not-a-number", marks=pytest.mark.long),
        ("input.region", "categories", "unreadable"),
    ],
)
def test_a_slice_that_finds_no_values_holds_and_says_what_to_correct(
    tmp_path: Path, named: str, by: str, kind: str
) -> None:
    done = judged(planted(tmp_path, pairs=1_200), f'slices={{"{named}"="{by}", hour=true}}')
    verdict = done.verdict
    (reason,) = [reason for reason in verdict.reasons if reason.code == "slice-unread"]
    assert f"Slice {named} tells no parts of the traffic apart" in reason.text
    assert f"of 1 200 pairs 1 200 {kind}" in reason.text
    assert f"or take {named} out of [slices]" in reason.advice
    assert contradiction(verdict) is None
    silenced = tuple(one for one in verdict.reasons if one is not reason)
    hidden = verdict.model_copy(update={"reasons": silenced})
    assert contradiction(hidden) == "the reason slice-unread is missing"
    said = f"{named}: 1 part, nearly no pair has a value there: not looked at"
    assert said in render(verdict_page(verdict))
    cases = {one.name: one for one in ci_cases.test_cases(verdict) if one.group == "slices"}
    assert cases[named].result == "unresolved"
    assert reason.advice in cases[named].lines[0]
    assert cases["hour"].result == "passed"


def test_what_fails_where_a_slice_reads_nothing_is_no_part_of_the_traffic(tmp_path: Path) -> None:
    from analyzer.report.content.page import Chart
    from analyzer.report.content.slices import slice_blocks

    scores = np.random.default_rng(6).uniform(0.05, 0.95, 1_500)
    shadow = np.where(np.arange(1_500) % 4 == 0, 1 - scores, scores)
    inputs = [f"{k},a" for k in range(1_500)]
    done = judged(put(tmp_path, inputs, scores, shadow), 'slices={"input.customer"="categories"}')
    (part,) = done.verdict.slices["input.customer"].bins
    assert part.shares["flip_rate"].outcome is Outcome.FAIL
    assert {one.code for one in done.verdict.reasons} >= {"slice-unread", "flip-rate-review"}
    assert "slice-review" not in {one.code for one in done.verdict.reasons}
    assert contradiction(done.verdict) is None
    assert not any(isinstance(block, Chart) for block in slice_blocks(done.verdict))


def test_a_part_that_fails_in_an_unread_slice_is_named_all_the_same() -> None:
    from analyzer.model import Slice, SliceBin, SlicedShare
    from analyzer.verdict import decide
    from tests.report.verdicts import verdict

    failing = SlicedShare(
        events=1_500,
        outcomes=1_500,
        effective=1_500.0,
        estimate=1.0,
        lower=0.99,
        upper=1.0,
        allowed=0.05,
        p_value=0.0,
        outcome=Outcome.FAIL,
        discovery=True,
    )
    parts = (
        SliceBin(kind="value", value="eu", pairs=1_500, shares={"flip_rate": failing}),
        SliceBin(kind="missing", pairs=198_500),
    )
    clean = verdict(Decision.PROMOTE)
    held = {"input.region": Slice(by="categories", bins=parts)}
    reasons = decide(clean.metrics, clean.gates, {}, held).reasons
    assert [one.code for one in reasons] == ["slice-review", "slice-unread"]
    assert "input.region eu" in reasons[0].text


def test_an_unread_slice_holds_a_promotion_and_few_values_are_enough_to_look() -> None:
    from analyzer.model import Slice, SliceBin
    from analyzer.verdict import decide
    from tests.report.verdicts import verdict

    clean = verdict(Decision.PROMOTE)

    def decided(without: int) -> Decision:
        parts = (
            SliceBin(kind="value", value="gold", pairs=10_000 - without),
            SliceBin(kind="missing", pairs=without),
        )
        held = {"input.tier": Slice(by="categories", bins=parts)}
        return decide(clean.metrics, clean.gates, {}, held).decision

    assert [decided(n) for n in (0, 9_899, 9_900, 10_000)] == [
        Decision.PROMOTE,
        Decision.PROMOTE,
        Decision.HOLD,
        Decision.HOLD,
    ]


def test_numbers_fall_into_fifths_that_hold_every_pair_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    scores = rng.uniform(0.05, 0.95, 2_000)
    amounts = rng.lognormal(3, 1, 2_000).round(2)
    inputs: list[str | None] = [f"x,{amount}" for amount in amounts]
    inputs[:5] = ["x", "x,", "x,many", None, '{"a": 1}']
    inputs[5] = "x,1\ny,2"  # two rows that differ
    inputs[6] = "x,1\ny,1"
    source = put(tmp_path, inputs, scores, scores)
    verdict = judged(source, 'slices={"input.2"="quantiles"}').verdict
    held = verdict.slices["input.2"]
    kinds = {part.kind: part.pairs for part in held.bins if part.kind != "range"}
    assert kinds == {"missing": 3, "not-a-number": 1, "unreadable": 1, "several": 1}
    ranges = [part for part in held.bins if part.kind == "range"]
    read = np.append(amounts[7:], 1.0)
    cuts = np.sort(read)[np.ceil(np.array([0.2, 0.4, 0.6, 0.8]) * len(read)).astype(int) - 1]
    assert [part.upper for part in ranges] == [*cuts, None]
    assert [part.lower for part in ranges] == [None, *cuts]
    edges = [-np.inf, *cuts, np.inf]
    expected = [int(((read > a) & (read <= b)).sum()) for a, b in pairwise(edges)]
    assert [part.pairs for part in ranges] == expected
    assert sum(part.pairs for part in held.bins) == verdict.ledger.pairs == 2_000
    (note,) = [note for note in verdict.notes if note.code == "slice-gaps"]
    assert "1 pair not-a-number, 1 pair several, 3 pairs missing, 1 pair unreadable" in note.text


def test_the_twenty_commonest_values_have_bins_and_all_others_one(tmp_path: Path) -> None:
    scores = np.full(1_000, 0.3)
    scores[::2] = 0.7
    values = [f"v{k % 25:02d}" if k < 500 else f"v{k % 20:02d}" for k in range(1_000)]
    source = put(tmp_path, [f"{k},{v}" for k, v in enumerate(values)], scores, scores)
    held = judged(source, BY_REGION).verdict.slices["input.2"]
    assert [part.kind for part in held.bins] == ["value"] * 20 + ["other"]
    assert held.bins[-1].pairs == sum(v >= "v20" for v in values) == 100


def test_json_paths_hours_and_content_types_are_slices_too(tmp_path: Path) -> None:
    scores = np.tile([0.3, 0.7], 600)
    inputs = [json.dumps({"customer": {"tier": ["gold", "tin"][k % 2]}}) for k in range(1_200)]
    inputs[0] = '{"customer": {}}'
    inputs[1] = "{"
    source = put(tmp_path, inputs, scores, scores, encoding="JSON", step_s=60)
    verdict = judged(
        source,
        'slices={"input.customer.tier"="categories", hour=true, content_type=true}',
    ).verdict
    tiers = bins(verdict.slices["input.customer.tier"])
    assert {name: part.pairs for name, part in tiers.items()} == {
        "gold": 599,
        "tin": 599,
        "missing": 1,
        "unreadable": 1,
    }
    hours = verdict.slices["hour"]
    assert [part.value for part in hours.bins] == [f"{hour:02d}" for hour in range(20)]
    assert {part.pairs for part in hours.bins} == {60}
    assert list(bins(verdict.slices["content_type"])) == ["application/json"]


def test_what_is_sliced_is_the_same_to_the_byte_cached_split_or_threaded(tmp_path: Path) -> None:
    source = planted(tmp_path / "captures", pairs=1_500)
    for file in source.rglob("*.jsonl"):
        os.utime(file, (1_700_000_000, 1_700_000_000))  # long settled, so it is kept
    judged(source, 'slices={"input.3"="quantiles"}')
    policy = ('slices={"input.2"="categories", "input.3"="quantiles", hour=true}',)
    # a slice that no run asked for before is read from the captures again
    first = judged(source, *policy).verdict
    assert judged(source, *policy, threads=1).verdict.to_json() == first.to_json()
    lines = {file: file.read_text("utf-8").splitlines()[::-1] for file in source.rglob("*.jsonl")}
    for file, backwards in lines.items():
        file.write_text("\n".join(backwards[:600]) + "\n", encoding="utf-8")
        file.with_name("b.jsonl").write_text("\n".join(backwards[600:]) + "\n", encoding="utf-8")
    shuffled = judged(source, *policy, use_cache=False, threads=1).verdict
    inputs = {"objects_listed": 4, "objects_read": 4}
    assert shuffled.inputs == first.inputs.model_copy(update=inputs)
    said = shuffled.model_copy(update={"inputs": first.inputs}).to_json()
    assert said.replace("of 4 objects", "of 2 objects") == first.to_json()


@pytest.mark.long
def test_what_is_sliced_is_the_same_to_the_byte_however_many_threads(tmp_path: Path) -> None:
    source = planted(tmp_path, pairs=1_500)
    policy = ('slices={"input.2"="categories", "input.3"="quantiles", hour=true}',)
    texts = {
        judged(source, *policy, use_cache=False, threads=threads).verdict.to_json()
        for threads in (None, 1, 2, 3)
    }
    assert len(texts) == 1


def test_repeated_inputs_are_worth_one_pair_within_a_part(tmp_path: Path) -> None:
    scores = np.tile([0.3, 0.7], 1_000)
    inputs = [f"{k % 10},a" if k < 1_000 else f"{k},b" for k in range(2_000)]
    source = put(tmp_path, inputs, scores, scores, step_s=120)
    found = bins(judged(source, BY_REGION).verdict.slices["input.2"])
    assert found["a"].shares["flip_rate"].effective == 10
    assert found["a"].shares["contract_change"].effective == 10
    assert found["b"].shares["flip_rate"].effective == 1_000


def test_a_whole_that_few_parts_carry_is_said_to_be_that(
    tmp_path: Path, by_region: Analysis
) -> None:
    """One large part flips upwards, five small ones downwards: the whole goes with the one."""
    region = np.array(["large"] * 3_000 + [f"small {k % 5}" for k in range(1_500)])
    low, high = np.full(4_500, 0.3), np.full(4_500, 0.7)
    production = np.where(np.arange(4_500) % 2 == 0, low, high)
    shadow = production.copy()
    rng = np.random.default_rng(6)
    chosen = rng.random(4_500) < 0.2
    shadow[(region == "large") & chosen & (production < 0.5)] = 0.7
    shadow[(region != "large") & chosen & (production >= 0.5)] = 0.3
    source = put(tmp_path, [f"{k},{r}" for k, r in enumerate(region)], production, shadow)
    done = judged(source, BY_REGION)
    held = done.verdict.slices["input.2"]
    assert held.simpson
    assert held.direction == "higher"
    assert {name: part.direction for name, part in bins(held).items()} == {
        "large": "higher",
        **{f"small {k}": "lower" for k in range(5)},
    }
    (note,) = [note for note in done.verdict.notes if note.code == "slice-direction"]
    assert "all pairs together move higher, and 5 parts of 6 for certain the other way" in note.text
    # where every part goes one way, the whole does too: both variants answer the same requests
    assert not by_region.verdict.slices["input.2"].simpson


def test_text_answers_are_sliced_by_their_form(tmp_path: Path) -> None:
    inputs = [f"{k},{'a' if k % 2 else 'b'}" for k in range(2_500)]
    source = put(tmp_path, inputs, np.zeros(2_500), np.zeros(2_500))
    found = bins(judged(source, BY_REGION, "predictions.kind=text").verdict.slices["input.2"])
    assert set(found["a"].shares) == {"contract_change"}


def test_the_parts_are_in_the_bundle_and_in_the_report(tmp_path: Path, by_region: Analysis) -> None:
    bundle.write(tmp_path / "out", by_region.verdict, {}, by_region.tables)
    read = bundle.read(tmp_path / "out")
    frame = read.table("slices")
    assert frame is not None
    assert frame.filter(outcome="fail").select("slice", "value", "metric").row(0) == (
        "input.2",
        "south",
        "flip_rate",
    )
    assert "slice_counts" not in read.table_names
    (case,) = [one for one in ci_cases.test_cases(read.verdict) if one.group == "slices"]
    assert (case.name, case.result, case.holds) == ("input.2", "unresolved", True)
    assert case.lines[0].startswith("south: flip_rate ")
    text = render(predictions_page(read.verdict, read.tables))
    assert "south" in text


def test_the_terminal_and_the_summary_say_what_slices_came_to(by_region: Analysis) -> None:
    (held,) = by_region.verdict.slices.values()
    passing = tuple(part for part in held.bins if part.value != "south")
    hours = held.model_copy(update={"by": "hour", "bins": passing})
    slices = {"hour": hours, "input.2": held}
    page = verdict_page(by_region.verdict.model_copy(update={"slices": slices}))
    said = "hour: 5 parts, none fails; input.2: 6 parts, one fails"
    assert f"- **slices**: {said}\n" in markdown.render(page)
    assert f"- slices: {said}\n" in render(page)


def test_slices_of_the_policy_are_read_as_toml_writes_them() -> None:
    policy = load_policy(None, DEFAULTS, ["slices.input.3=quantiles", "slices.hour=false"])
    assert policy.slices == {"input.3": "quantiles"}
    asked = sliced_inputs(load_policy(None, DEFAULTS, ['slices={"input.a[0].b"="categories"}']))
    assert asked.paths == ('$."a"[0]."b"',)


@pytest.mark.parametrize("place", ["a[*].b", "a..b", "[*]"])
def test_a_path_that_leads_to_no_single_value_is_a_policy_error(tmp_path: Path, place: str) -> None:
    source = put(tmp_path, ["1"], np.full(1, 0.2), np.full(1, 0.2))
    with pytest.raises(PolicyError, match=r"slices\.input\."):
        judged(source, f'slices={{"input.{place}"="categories"}}')


def test_the_drawing_of_a_slice_writes_the_corrected_outcome_of_every_part(
    by_region: Analysis,
) -> None:
    from analyzer.report import charts
    from analyzer.report.content.page import Chart
    from analyzer.report.content.slices import slice_blocks

    verdict = by_region.verdict
    (chart,) = (block for block in slice_blocks(verdict) if isinstance(block, Chart))
    assert chart.title == "By input.2: 1 of 6 parts FAIL, 5 not settled"
    assert "Failing: south." in chart.alt
    said = {(row["part"], row["metric"]): row for row in chart.frame.iter_rows(named=True)}
    for name, part in bins(verdict.slices["input.2"]).items():
        for metric, share in part.shares.items():
            cell = said[name, metric]
            assert cell["outcome"].lower() == share.outcome.value
            assert f"{100 * share.estimate:.2f} %" in cell["said"]
    assert said["south", "flip_rate"]["said"].startswith("✗")
    assert said["north", "flip_rate"]["said"].startswith("✓")
    assert charts.draw(chart).to_dict()


def test_the_worst_pairs_say_which_part_they_are_of_and_where_they_cluster(
    by_region: Analysis,
) -> None:
    tables = by_region.tables
    assert tables["worst_parts"].height == tables["worst_pairs"].height == 100
    assert set(tables["worst_parts"]["part"]) == {"south"}
    ((name, part, worst, of, share),) = tables["worst_clusters"].rows()
    assert (name, part, worst, of) == ("input.2", "south", 100, 100)
    assert share == 1 / 6


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from([0.0, -0.0, 1.0, 5e-324, -5e-324, 1.7976931348623157e308]),
        max_size=40,
    ),
    st.sampled_from([3, 16]),
)
@settings(max_examples=examples(12, whole=50), deadline=None)
def test_cut_points_are_the_order_statistics_of_all_numbers(
    numbers: list[float], bits: int
) -> None:
    rows = pl.DataFrame(
        {"slice": "x", "fate": "value", "value": [*map(repr, numbers), "no number", "nan"]}
    )
    with Engine() as engine, engine.lend(slice_values=rows.to_arrow()):
        found = slices.cut_points(engine, ["x"], piece_bits=bits)
    ordered = sorted(numbers)
    count = len(ordered)
    assert found == {"x": [ordered[-(-count * k // 5) - 1] for k in (1, 2, 3, 4) if count]}
