"""Texts, JSON documents and lists of numbers, from outputs to what is shown of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from analyzer.metrics import DEFAULTS
from analyzer.metrics.documents import DOCUMENTS
from analyzer.metrics.vectors import VECTORS
from analyzer.model import Decision, Outcome
from analyzer.policy.files import load_policy
from analyzer.report.content import predictions_page
from analyzer.report.content.page import Notes, Table
from tests.metrics.prediction_facts import facts_from
from tests.payloads.captured_pairs import Compared, Output, compare, in_json
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from analyzer.model import Evidence
    from analyzer.report.content.page import Block

BY_ID = {metric.id: metric for metric in (*DOCUMENTS, *VECTORS)}


def shown(metric: str, compared: Compared) -> Evidence:
    policy = load_policy(None, DEFAULTS)
    evidence = BY_ID[metric].assess(
        facts_from(compared.tables, policy=policy), policy.metrics[metric]
    )
    assert evidence.outcome is Outcome.INFO
    return evidence


def estimate(evidence: Evidence) -> float:
    assert evidence.effect is not None
    assert evidence.effect.estimate is not None
    return evidence.effect.estimate


def notes(evidence: Evidence) -> dict[str, str]:
    return {note.code: note.text for note in evidence.notes}


def texts(production: list[str], shadow: list[str]) -> Compared:
    policy = load_policy(None, DEFAULTS, ["predictions.kind=text"])
    return compare([*production], [*shadow], policy=policy)


def documents(production: list[object], shadow: list[object], *given: str) -> Compared:
    policy = load_policy(None, DEFAULTS, ["predictions.kind=json", *given])
    sides: list[list[Output | str | None]] = [
        [in_json(json.dumps(one)) for one in side] for side in (production, shadow)
    ]
    return compare(*sides, policy=policy)


def edits(one: str, other: str) -> int:
    """Levenshtein's distance in bytes, by the textbook's recursion."""
    first, second = one.encode(), other.encode()
    before = list(range(len(second) + 1))
    for at, a in enumerate(first, 1):
        row = [at]
        for b_at, b in enumerate(second, 1):
            row.append(min(before[b_at] + 1, row[-1] + 1, before[b_at - 1] + (a != b)))
        before = row
    return before[-1]


def test_similarity_is_one_minus_edits_by_the_longer_text() -> None:
    production = ["kitten on the mat", "yes", "caf\u00e9 au lait", "the same words"]
    shadow = ["sitting on a mat", "no", "cafe au lait", "the same words"]
    evidence = shown("text_similarity", texts(production, shadow))
    expected = [
        1 - edits(one, other) / max(len(one.encode()), len(other.encode()))
        for one, other in zip(production, shadow, strict=True)
    ]
    assert estimate(evidence) == pytest.approx(np.mean(expected))
    assert notes(evidence)["sampled"] == "4 of 4 pairs looked at closely"
    assert notes(evidence)["text-lengths"].startswith("25.0 % of the texts are equal")


def test_a_wordier_shadow_is_told_by_the_ratio_of_lengths() -> None:
    evidence = shown("text_similarity", texts(["x" * 99] * 5, ["x" * 199] * 5))
    assert "ratio of 2.000" in notes(evidence)["text-lengths"]
    assert "texts-cut" not in notes(evidence)


def test_long_texts_are_cut_and_that_is_said() -> None:
    start = "a" * 256
    evidence = shown("text_similarity", texts([start + "b" * 10] * 3, [start + "c" * 50] * 3))
    assert estimate(evidence) == 1
    assert notes(evidence)["texts-cut"].startswith("3 texts compared by the first 256")
    assert "0.0 % of the texts are equal" in notes(evidence)["text-lengths"]


def test_a_generated_text_is_compared_and_not_the_document_around_it() -> None:
    sides: list[list[Output | str | None]] = [
        [in_json(json.dumps({"generated_text": text, "padding": "p" * 50}))] * 4
        for text in ("abcd", "abce")
    ]
    compared = compare(*sides)
    assert compared.kind == "text"
    assert estimate(shown("text_similarity", compared)) == 0.75


def test_lost_json_is_a_paired_difference() -> None:
    good, bad = '{"a": 1}', "I am sorry"
    evidence = shown(
        "json_validity", texts([good] * 70 + [bad] * 30, [good] * 60 + [bad] * 35 + [good] * 5)
    )
    assert (evidence.production, evidence.shadow) == (0.7, 0.65)
    assert estimate(evidence) == pytest.approx(-0.05)
    assert evidence.intervals.fixed is not None
    assert evidence.intervals.fixed[0] < -0.05 < evidence.intervals.fixed[1]
    assert "production 10, shadow 5 of 100 texts" in notes(evidence)["json-alone"]


def test_only_an_object_or_a_list_is_json_and_a_broken_one_is_none() -> None:
    shadow = ["[1, 2]", '{"a": 1', "12", '"word"', "{}"]
    evidence = shown("json_validity", texts(["plain"] * 5, shadow))
    assert evidence.shadow == 0.4


def test_every_way_a_field_differs_is_told_by_its_place() -> None:
    good: dict[str, object] = {"n": 1.0, "tags": ["x", "y"], "deep": {"k": 1}, "on": True}
    shadow: list[object] = [
        good,
        {**good, "n": 1.0 + 1e-9},
        {**good, "n": 1.5},
        {**good, "tags": ["x", "z"]},
        {**good, "deep": {}},
        {**good, "on": "true"},
        {**good, "extra": None},
    ]
    compared = documents([good] * 7, shadow, "redaction.payloads=shown")
    rows = {row["field"]: row for row in compared.rows("json_field_changes")}
    found = {
        field: {code for code in ("changed", "retyped", "missing", "added") if row[code]}
        for field, row in rows.items()
    }
    assert found == {
        "$.n": {"changed"},
        "$.tags[*]": {"changed"},
        "$.deep.k": {"missing"},
        "$.on": {"retyped"},
        "$.extra": {"added"},
    }
    assert rows["$.n"]["largest_difference"] == 0.5
    assert rows["$.n"]["documents"] == 7
    evidence = shown("json_field_changes", compared)
    assert estimate(evidence) == pytest.approx(5 / 7)
    assert "42.9 % of the documents have a field" in notes(evidence)["json-reshaped"]
    assert "$.deep.k in 14.3 %" in notes(evidence)["json-fields"]


def test_key_order_and_number_spelling_are_no_difference() -> None:
    one = in_json('{"a": 1, "b": [2.0, null]}')
    other = in_json('{"b": [2, null], "a": 1.0}')
    policy = load_policy(None, DEFAULTS, ["predictions.kind=json"])
    compared = compare([one] * 3, [other] * 3, policy=policy)
    assert estimate(shown("json_field_changes", compared)) == 0


def test_inputs_that_come_back_are_worth_fewer_documents() -> None:
    policy = load_policy(None, DEFAULTS, ["predictions.kind=json"])
    one, other = in_json('{"a": 1}'), in_json('{"a": 2}')
    compared = compare([one] * 40, [other] * 40, inputs=[1, 2, 3, 4] * 10, policy=policy)
    assert shown("json_field_changes", compared).n.effective == 4
    assert shown("text_similarity", compared).n.effective == 4


def test_two_thousand_pairs_are_looked_at_and_the_same_whatever_their_order() -> None:
    production = [f"answer {at}" for at in range(2_100)]
    shadow = [f"reply {at % 7}" for at in range(2_100)]
    one, two = (
        compare(
            [*production],
            [*shadow],
            policy=load_policy(None, DEFAULTS, ["predictions.kind=text"]),
            threads=threads,
        )
        for threads in (1, 2)
    )
    assert one.counts == two.counts
    assert one.counts["texts"] == 2_000


def vectors(production: list[list[float]], shadow: list[list[float]]) -> Compared:
    sides: list[list[Output | str | None]] = [
        [in_json(json.dumps([one])) for one in side] for side in (production, shadow)
    ]
    return compare(*sides)


def test_distances_of_lists_equal_numpy() -> None:
    rng = np.random.default_rng(1)
    production = rng.normal(size=(200, 6))
    shadow = production + rng.normal(0, 0.1, (200, 6)) + np.array([0, 0, 0.3, 0, 0, 0])
    compared = vectors(production.tolist(), shadow.tolist())
    evidence = shown("vector_distance", compared)
    lengths = np.linalg.norm(production, axis=1)
    apart = np.linalg.norm(shadow - production, axis=1) / lengths
    assert estimate(evidence) == pytest.approx(apart.mean(), rel=1e-8)
    cosine = (production * shadow).sum(axis=1) / lengths / np.linalg.norm(shadow, axis=1)
    assert notes(evidence)["vector-cosine"] == f"mean cosine of both lists {cosine.mean():.6f}"
    places = shown("vector_bias_share", compared)
    assert estimate(places) == pytest.approx(1 / 6)
    assert notes(places)["vector-places"].startswith("largest mean change by place from 0: 2: +0.")
    means = [row["bias"] for row in compared.rows("vector_coordinates")]
    assert means == pytest.approx((shadow - production).mean(axis=0).tolist())


def test_lists_that_one_number_would_not_do_for_are_counted_by_place() -> None:
    """A place that varies, one that is nearly always the same, and one that is within the noise."""
    rng = np.random.default_rng(2)
    rare = np.where(rng.random(400) < 0.1, 0.9, 0.01)
    production = np.column_stack([rng.random(400), rare, rng.normal(0, 1e-8, 400)])
    shadow = production + rng.normal(0, 2e-6, (400, 3)) * np.array([1, 0, 0])
    shadow[:, 1] = np.where(rng.random(400) < 0.5, 0.01, rare)
    rows = vectors(production.tolist(), shadow.tolist()).rows("vector_coordinates")
    for row, before, after in zip(rows, production.T, shadow.T, strict=True):
        far = 1e-6 + 1e-5 * np.abs(before).max()
        reached = [((before >= low) & (before <= low + 2 * far)).sum() for low in np.sort(before)]
        low = np.sort(before)[int(np.argmax(reached))]
        apart = (np.minimum(before, after) < low) | (np.maximum(before, after) > low + 2 * far)
        shifted = np.abs(after - before) > 1e-6 + 1e-5 * np.abs(before)
        assert (row["apart"], row["shifted"]) == (apart.sum(), (apart & shifted).sum())
    assert rows[1]["apart"] == (rare > 0.5).sum()
    assert rows[2]["apart"] == 0


def test_of_a_long_list_the_beginning_is_looked_at() -> None:
    production = np.random.default_rng(4).normal(size=(30, 1_100)).tolist()
    compared = vectors(production, production)
    assert len(compared.rows("vector_coordinates")) == 1_024
    assert estimate(shown("vector_distance", compared)) == 0


def test_lists_without_length_and_equal_lists_are_no_error() -> None:
    compared = vectors([[0.0, 0.0], [1.5, -2.0]], [[0.0, 0.0], [1.5, -2.0]])
    assert estimate(shown("vector_distance", compared)) == 0
    assert estimate(shown("vector_bias_share", compared)) == 0
    far = vectors([[0.0, 0.5], [0.0, 0.0]], [[0.0, 0.5], [7.5, 0.0]])
    assert estimate(shown("vector_distance", far)) == 500


def test_every_place_moved_alike_is_seen_for_certain() -> None:
    compared = vectors([[0.5, 1.5, 9.0]] * 50, [[0.5, 1.75, 9.0]] * 50)
    assert estimate(shown("vector_bias_share", compared)) == pytest.approx(1 / 3)


def on_page(title: str, name: str, frame: pl.DataFrame) -> Block:
    page = predictions_page(verdict(Decision.HOLD), {name: frame})
    (block,) = (block for block in page.blocks if getattr(block, "title", "") == title)
    return block


def test_the_page_shows_fields_and_places() -> None:
    compared = documents([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}], "redaction.payloads=shown")
    frame = pl.DataFrame(compared.rows("json_field_changes"))
    block = on_page("Changed JSON fields", "json_field_changes", frame)
    assert isinstance(block, Table)
    assert block.rows == (("$.a", "2", "1", "1", "0", "0", "0", "1"),)
    none = frame.with_columns(differing=0)
    assert isinstance(on_page("Changed JSON fields", "json_field_changes", none), Notes)
    places = pl.DataFrame(vectors([[0.5, 1.0]] * 3, [[0.5, 3.0]] * 3).rows("vector_coordinates"))
    block = on_page("Change by place of the list", "vector_coordinates", places)
    assert isinstance(block, Table)
    assert [row[:2] for row in block.rows] == [("1", "2"), ("0", "0")]


def test_keys_that_few_documents_have_are_counted_and_not_named() -> None:
    production = [{"total": 1, f"customer-{n}": n} for n in range(100)]
    shadow = [{"total": 1, f"customer-{n}": n + 1} for n in range(100)]
    compared = documents([*production], [*shadow])
    rows = compared.rows("json_field_changes")
    assert {row["field"]: row["differing"] for row in rows} == {None: 100, "$.total": 0}
    block = on_page("Changed JSON fields", "json_field_changes", pl.DataFrame(rows))
    assert isinstance(block, Table)
    assert block.rows[0][0] == "(fields of few documents)"
    said = repr([table.to_pylist() for table in compared.tables.values()])
    assert "customer-" not in said + repr(notes(shown("json_field_changes", compared)))


def test_the_least_alike_texts_are_listed_without_their_words() -> None:
    compared = texts(["alpha beta", "gamma delta", "same"], ["alpha beat", "nothing alike", "same"])
    worst = compared.rows("worst_pairs")
    assert [row["rank"] for row in worst] == [1, 2]
    assert worst[0]["inference_id"] == "request 1"
    assert {row["production_value"] for row in worst} == {None}
    block = on_page("Most divergent pairs", "worst_pairs", pl.DataFrame(worst))
    assert isinstance(block, Table)
    assert "production" not in [column.title for column in block.columns]
