"""Decoded outputs compared: nothing is dropped, everything is counted, sums are exact."""

from __future__ import annotations

import json
import math
import statistics
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.policy import Redaction
from tests.examples import examples
from tests.payloads.captured_pairs import (
    Compared,
    Output,
    compare,
    in_base64,
    in_json,
    pair_id,
    policy_of,
)

SCORES = np.random.default_rng(20).beta(0.6, 3.0, 400)


REGRESSION = policy_of(kind="regression")


def scores(values: npt.NDArray[np.float64]) -> list[Output | str | None]:
    return [repr(float(value)) for value in values]


@cache
def turned(flips: int) -> Compared:
    """So many of the scores turned over by the shadow."""
    shadow = np.where(np.arange(400) < flips, 1 - SCORES, SCORES)
    return compare(scores(SCORES), scores(shadow))


def test_a_model_against_itself_differs_in_nothing() -> None:
    counts = turned(0).counts
    assert counts["predictions"] == 400
    assert counts["flipped"] == counts["shifted"] == counts["large_shifted"] == 0
    assert counts["mismatched_pairs"] == counts["changed_pairs"] == 0
    assert counts["bias"] == counts["mean_absolute_difference"] == counts["difference_sd"] == 0
    assert counts["concordance"] == 1


def test_a_bucket_that_is_cut_into_pieces_gives_the_same_threshold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scores crowd at the threshold, some of them to the last digit."""
    rng = np.random.default_rng(3)
    shadow = np.concatenate([0.5 + rng.normal(0, 1e-9, 300), np.repeat(0.5, 50), SCORES[:50]])
    production = rng.permutation(shadow)
    whole = compare(scores(production), scores(np.sqrt(shadow) / 1.4)).counts
    monkeypatch.setattr("analyzer.payloads.scores._MOST_SCORES", 1)
    monkeypatch.setattr("analyzer.payloads.scores._PIECES", 3)
    cut = compare(scores(production), scores(np.sqrt(shadow) / 1.4)).counts
    assert cut == whole
    assert whole["even_positive"] > 0


SPREADS = {
    "probabilities": np.random.default_rng(1).beta(0.3, 3, 2_000),
    "long tail": np.exp(np.random.default_rng(2).normal(0, 2.5, 2_000)),
    "far from zero": np.random.default_rng(3).normal(-1e6, 3, 2_000),
    "mostly one": np.repeat([0.5, 7.25], [1_950, 50]),
    "constant": np.repeat(3.25, 2_000),
}
BY_DEFAULT = {("long tail", 3.0), ("mostly one", 1e-9)}


@pytest.mark.parametrize(
    ("production", "tolerance"),
    [
        pytest.param(
            SPREADS[name],
            tolerance,
            id=f"{name}-{tolerance}",
            marks=() if (name, tolerance) in BY_DEFAULT else pytest.mark.long,
        )
        for name in SPREADS
        for tolerance in (1e-9, 0.05, 3.0)
    ],
)
def test_no_single_answer_shifts_fewer_predictions_than_is_said_and_one_shifts_few_more(
    production: npt.NDArray[np.float64], tolerance: float
) -> None:
    policy = policy_of(tolerance=tolerance)
    counts = compare(scores(production), scores(production), policy=policy).counts
    noise = policy.predictions.atol + policy.predictions.rtol * np.abs(production)
    large = np.maximum(counts["large_shift"], noise)
    # a bucket is reached as a whole: a 16th of a logit, or a 64th of the distance
    whole = np.hypot(production - production.mean(), production.std()) / 16
    for name, far in (("one_answer_shifted", tolerance), ("one_answer_large", large)):
        least, most = (shifted_by_the_best(production, far + wider) for wider in (whole, 0.0))
        assert least <= counts[name] <= most


def shifted_by_the_best(
    production: npt.NDArray[np.float64], far: npt.NDArray[np.float64] | float
) -> int:
    """How many scores lie more than `far` from the place that most lie near to."""
    low, high = np.sort(production - far), np.sort(production + far)
    met = [np.searchsorted(low, at, "right") - np.searchsorted(high, at) for at in low]
    return len(production) - int(max(met))


def test_divergence_of_two_models_equals_numpy() -> None:
    """334 distinct rows, each sent ten times; two retrained models."""
    rng = np.random.default_rng(7)
    production = np.repeat(rng.beta(0.5, 2.5, 334), 10)
    shadow = np.clip(production + np.repeat(rng.normal(0, 0.08, 334), 10), 0, 1)
    inputs = [int(row) for row in np.repeat(np.arange(334), 10)]
    policy = policy_of(tolerance=0.1)
    counts = compare(scores(production), scores(shadow), inputs=inputs, policy=policy).counts
    d = shadow - production
    assert counts["flipped"] == int(((production >= 0.5) != (shadow >= 0.5)).sum())
    assert counts["shifted"] == int((np.abs(d) > 0.1).sum())
    assert counts["large_shifted"] == int((np.abs(d) > 0.5 * production.std()).sum())
    assert counts["production_at_or_above"] == int((production >= 0.5).sum())
    assert counts["prediction_squares"] == 334 * 100
    assert counts["judged_squares"] == 334 * 100
    covariance = float(np.mean((production - production.mean()) * (shadow - shadow.mean())))
    expected = {
        "production_mean": production.mean(),
        "shadow_mean": shadow.mean(),
        "production_sd": production.std(),
        "shadow_sd": shadow.std(),
        "bias": d.mean(),
        "difference_sd": d.std(),
        "mean_absolute_difference": np.abs(d).mean(),
        "concordance": 2 * covariance / (production.var() + shadow.var() + d.mean() ** 2),
    }
    for name, value in expected.items():
        assert counts[name] == pytest.approx(float(value), rel=1e-12), name


@pytest.mark.parametrize(
    ("offset", "unit"),
    [
        pytest.param(
            offset,
            unit,
            marks=() if (offset, unit) == (-1e15, 1e30) else pytest.mark.long,
        )
        for offset in (0.0, 1e9, -1e15)
        for unit in (1e-12, 1.0, 1e30)
    ],
)
def test_moments_hold_whatever_the_size_of_the_numbers(offset: float, unit: float) -> None:
    rng = np.random.default_rng(3)
    values = (rng.normal(0, 1, 300) + offset) * unit
    counts = compare(
        scores(values), scores(values + unit), policy=policy_of(kind="regression")
    ).counts
    assert counts["bias"] == pytest.approx(float(np.mean((values + unit) - values)), rel=1e-6)
    assert counts["production_sd"] == pytest.approx(statistics.pstdev(values.tolist()), rel=1e-6)


def test_every_way_an_answer_changes_form_has_its_code() -> None:
    good = '{"predictions": [{"score": 0.25}, {"score": 0.75}]}'
    changed: dict[str, Output | str | None] = {
        "shadow-absent": None,
        "shadow-undecodable": in_json('{"error": "model not loaded"}'),
        "format": "0.25\n0.75",
        "row-count": in_json('{"predictions": [{"score": 0.25}]}'),
        "type": in_json('{"predictions": [{"score": "0.25"}, {"score": 0.75}]}'),
        "shape": in_json('{"predictions": [{"score": [0.25]}, {"score": 0.75}]}'),
        "non-finite": in_json('{"predictions": [{"score": NaN}, {"score": 0.75}]}'),
    }
    many: list[Output | str | None] = [in_json(good)] * 20
    shadow: list[Output | str | None] = [*many, *changed.values()]
    compared = compare([in_json(good)] * len(shadow), shadow)
    assert compared.codes == {"same": 20, **dict.fromkeys(changed, 1)}
    assert compared.counts["changed_pairs"] == len(changed)
    assert compared.counts["judged_pairs"] == 20 + len(changed)


def test_an_answer_that_lost_one_of_two_scores_is_not_aligned_with_the_other() -> None:
    good = in_json('{"predictions": [{"score": 0.25}, {"score": 0.75}]}')
    partial = in_json('{"predictions": [{"scor": 0.25}, {"score": 0.75}]}')
    compared = compare([good] * 9 + [partial], [good] * 8 + [partial, good])
    assert compared.codes == {"same": 8, "shadow-undecodable": 1, "production-undecodable": 1}


def test_productions_own_bad_answers_are_counted_but_are_not_the_shadows_harm() -> None:
    production = ["0.5"] * 10 + [None, "", "oops", "nan", "nan", "inf", "oops"]
    shadow = ["0.5"] * 10 + ["0.5", "0.5", "0.5", "0.5", "nan", "nan", "oops"]
    compared = compare(production, shadow, policy=policy_of(kind="probability"))
    assert compared.codes == {
        "same": 12,  # not a number twice is the same answer twice, and so is "oops"
        "production-absent": 1,
        "production-undecodable": 2,
        "production-non-finite": 1,
        "non-finite": 1,
    }
    assert compared.counts["predictions"] == 10


def test_numbers_that_are_not_finite_never_reach_a_sum() -> None:
    odd = ["NaN", "Infinity", "-inf", "1e400", "1e101", "-1e300"]
    compared = compare([*scores(SCORES), *["0.5"] * 6], [*scores(SCORES), *odd])
    assert compared.codes == {"same": 400, "non-finite": 6}
    assert math.isfinite(compared.counts["shadow_mean"])
    assert compared.counts["highest"] <= 1


def test_a_key_named_twice_is_no_answer_anyone_can_rely_on() -> None:
    """Some readers take the first value, some the last: what the caller got is not known."""
    once = [f'{{"predictions": [{{"score": {k / 64}}}]}}' for k in range(20)]
    twice = [
        f'{{"predictions": [{{"score": {k / 64}, "score": {1 - k / 64}}}]}}' for k in range(20)
    ]
    compared = compare([*map(in_json, once)], [*map(in_json, twice)])
    assert (compared.kind, compared.codes) == ("probability", {"shadow-undecodable": 20})
    assert compared.counts["changed_pairs"] == 20
    both = compare([*map(in_json, twice)], [*map(in_json, once)])
    assert both.codes == {"production-undecodable": 20}


def test_a_key_that_other_parts_of_a_document_have_too_is_named_once() -> None:
    nested = [
        f'{{"about": {{"score": "score"}}, "predictions": [{{"score": {k / 64}}}, {{"score": 1}}]}}'
        for k in range(20)
    ]
    assert compare([*map(in_json, nested)], [*map(in_json, nested)]).codes == {"same": 20}
    lines = [f'{{"score": {k / 64}}}\n{{"score": 0.5, "text": "\\"score\\""}}' for k in range(20)]
    assert compare([*map(in_json, lines)], [*map(in_json, lines)]).codes == {"same": 20}


def test_vectors_of_another_width_or_with_a_gap_change_the_contract() -> None:
    good = in_json("[[1.5, -2.5, 3.0]]")
    wide, gap = in_json("[[1.5, -2.5, 3.0, 4.0]]"), in_json("[[1.5, null, 3.0]]")
    nan, moved = in_json("[[1.5, NaN, 3.0]]"), in_json("[[1.5, -2.5, 3.5]]")
    compared = compare([good] * 9, [good] * 5 + [wide, gap, nan, moved])
    assert compared.codes == {"same": 6, "shape": 1, "type": 1, "non-finite": 1}
    assert compared.counts["shifted"] == 1
    assert compared.counts["largest_difference"] == 0.5


def test_labels_compare_by_value_and_json_by_type() -> None:
    assert compare(["1", "0", "1"], ["1.0", "0", '"1"']).counts["flipped"] == 0
    one, text = in_json('{"label": 1}'), in_json('{"label": "1"}')
    assert compare([one] * 3, [one, one, text]).codes == {"same": 2, "type": 1}
    assert compare([one] * 3, [one, in_json('{"label": 2}'), one]).counts["flipped"] == 1


LABELS = policy_of(kind="label")


def test_a_label_is_a_name_and_not_the_number_it_could_be_read_as() -> None:
    others = {
        "00012": "12",
        "1E3": "1000",
        "1_0": "10",
        "250.10": "250.1",
        "9007199254740993": "9007199254740992",
        "9007199254740993.0": "9007199254740992",
        "1e400": "1e500",
        "00": "0",
        "+1": "1",
        "-1.0": "1",
        "10": "1",
        "True": "true",
    }
    ones = [*others, *others.values()]
    turned = [*others.values(), *others]
    compared = compare([*ones, *ones], [*ones, *turned], policy=LABELS)
    assert (compared.codes, compared.counts["flipped"]) == ({"same": 48}, 24)
    ones_as_text, turned_as_text = (
        [in_json(f'{{"label": "{label}"}}') for label in side] for side in (ones, turned)
    )
    assert compare(ones_as_text, turned_as_text, policy=LABELS).counts["flipped"] == 24


def test_a_whole_number_is_one_label_however_it_is_written() -> None:
    others = {
        "1": "1.0",
        "1.0": "1.000",
        "-7": "-7.0",
        "100": "100.0",
        "0": "-0.0",
        "-0": "0.00",
        "12345678901234567890.0": "12345678901234567890",
        '"yes"': "yes",
        '"10"': "10.0",
    }
    compared = compare([*others, *others], [*others, *others.values()], policy=LABELS)
    assert (compared.codes, compared.counts["flipped"]) == ({"same": 18}, 0)


def test_what_is_no_finite_number_is_no_label() -> None:
    odd = ["NaN", "-Infinity", "+inf", "nan"]
    compared = compare(["1"] * 6 + odd, ["1", "1", *odd, *odd], policy=LABELS)
    assert compared.codes == {"same": 2 + 4, "non-finite": 4}
    assert compared.counts["predictions"] == 2


def test_documents_keep_their_keys_and_lists_their_length() -> None:
    policy = policy_of(kind="json")
    production = [in_json('{"a": 1, "b": 2}')] * 4 + [in_json("[1, 2]")]
    shadow: list[Output | str | None] = [
        in_json('{"b": 5, "a": 7}'),
        in_json('{"a": 1}'),
        in_json("[1]"),
        "sorry",
        in_json("[1, 2, 3]"),
    ]
    compared = compare(production, shadow, policy=policy)
    assert compared.codes == {"same": 1, "shape": 2, "type": 2}
    assert compared.counts["mismatched_pairs"] == 5


def test_text_that_is_missing_from_the_document_changes_the_contract() -> None:
    good = in_json('{"generated_text": "Hello"}')
    compared = compare([good] * 4, [good, good, in_json('{"error": "busy"}'), ""])
    assert compared.codes == {"same": 2, "shadow-undecodable": 2}


def test_repeated_inputs_and_rows_of_one_request_are_one_cluster() -> None:
    request = in_json('{"predictions": [0.5, 0.25, 0.125]}')
    compared = compare([request] * 4, [request] * 4, inputs=[1, 1, 2, None])
    assert compared.counts["prediction_squares"] == 6**2 + 3**2 + 3**2
    assert compared.counts["judged_squares"] == 2**2 + 1 + 1


def test_drawn_tables_count_every_prediction_once() -> None:
    shadow = np.clip(SCORES + np.random.default_rng(1).normal(0, 0.05, 400), 0, 1)
    compared = compare(scores(SCORES), scores(shadow))
    for name, times in [
        ("score_histogram", 2),
        ("score_grid", 1),
        ("score_agreement", 1),
        ("difference_histogram", 1),
        ("flips", 1),
        ("flip_distance", 1),
    ]:
        assert sum(row["predictions"] for row in compared.rows(name)) == 400 * times, name
    flips = sum(row["flips"] for row in compared.rows("flip_distance"))
    assert flips == compared.counts["flipped"] > 0


def test_worst_pairs_come_largest_difference_first_and_once_each() -> None:
    production = ["0.5,0.5".replace(",", "\n")] * 5
    shadow = ["0.5\n0.6", "0.9\n0.8", "0.5\n0.5", "0.7\n0.5", "0.5\n0.5"]
    worst = compare(production, shadow, policy=policy_of(kind="probability")).rows("worst_pairs")
    assert [row["pair_id"] for row in worst] == [pair_id(1), pair_id(3), pair_id(0)]
    assert [row["rank"] for row in worst] == [1, 2, 3]
    assert worst[0]["difference"] == 0.4
    assert worst[0]["inference_id"] == "request 1"
    assert (worst[0]["production_value"], worst[0]["shadow_value"]) == ("0.5", "0.9")


def test_results_do_not_depend_on_threads() -> None:
    rng = np.random.default_rng(5)
    production = rng.normal(0, 1e6, 5_000)
    shadow = production + rng.standard_cauchy(5_000)
    one, two = (compare(scores(production), scores(shadow), threads=threads) for threads in (1, 2))
    for name, table in one.tables.items():
        assert table.equals(two.tables[name]), name


def test_more_flips_are_never_counted_as_fewer() -> None:
    steps = range(0, 401, 400 // examples(1, whole=4))
    seen = [turned(flips).counts["flipped"] for flips in steps]
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 400


OUTPUTS = st.one_of(
    st.none(),
    st.text(max_size=30).map(Output),
    st.binary(max_size=20).map(in_base64),
    st.text(alphabet="k05VTVBZ+/=-_ \n", max_size=40).map(lambda text: Output(text, "BASE64")),
    st.floats().map(lambda number: Output(repr(number))),
    st.lists(st.floats(), max_size=3).map(lambda row: Output(",".join(map(repr, row)))),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["predictions", "score", "label", "x", '"', "a.b"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=6,
    ).map(lambda value: in_json(json.dumps(value))),
    st.sampled_from(["[1,2,]", "{", "[[[[", '{"a":1}{"b":2}', "[NaN]", '"', "null", "\x00"]).map(
        in_json
    ),
)


@settings(max_examples=examples(2, whole=15), deadline=None)
@given(
    st.lists(st.tuples(OUTPUTS, OUTPUTS), max_size=40),
    st.sampled_from(["auto", "probability", "regression", "label", "multiclass", "json", "text"]),
    st.sampled_from([None, "predictions[*].score", "x", "[*][1]"]),
)
def test_any_outputs_are_counted_once_and_never_fail(
    pairs: list[tuple[Output | None, Output | None]], kind: str, path: str | None
) -> None:
    policy = policy_of(kind=kind, path=path)
    compared = compare([one for one, _ in pairs], [other for _, other in pairs], policy=policy)
    assert sum(compared.codes.values()) == compared.counts["pairs"] == len(pairs)
    assert compared.counts["changed_pairs"] <= compared.counts["judged_pairs"]
    for value in compared.counts.values():
        assert not isinstance(value, float) or math.isfinite(value)
    same = compare([one for one, _ in pairs], [one for one, _ in pairs], policy=policy)
    assert same.counts["changed_pairs"] == same.counts["mismatched_pairs"] == 0
    assert not same.counts.get("flipped")
    assert not same.counts.get("shifted")


def test_the_answers_of_the_worst_pairs_are_kept_only_as_far_as_the_policy_shows_them() -> None:
    production, shadow = ["0.10", "0.20", "0.30"], ["0.10", "0.25", "0.90"]
    tables = {}
    for payloads in ("none", "hashed", "shown"):
        policy = policy_of(kind="probability").model_copy(
            update={"redaction": Redaction.model_validate({"payloads": payloads})}
        )
        tables[payloads] = compare(production, shadow, policy=policy).tables
    assert "worst_outputs" not in tables["none"]
    shown, hashed = (tables[mode]["worst_outputs"].to_pylist() for mode in ("shown", "hashed"))
    assert shown[0] == {"rank": 1, "production_output": "0.30", "shadow_output": "0.90"}
    assert len(shown) == len(hashed) == 2
    digests = [row["production_output"] for row in hashed]
    assert all(digest.startswith("sha256:") and len(digest) == 23 for digest in digests)
    assert len(set(digests)) == 2
