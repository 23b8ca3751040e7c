"""A field that all of production's answers have is asked of every answer of the shadow's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.payloads.captured_pairs import compare, in_json, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.payloads.captured_pairs import Compared

PAIRS = 300
Answer = dict[str, Any]


def answer(n: int) -> Answer:
    """A field that may be null, one that may be missing, and one below another."""
    why = {} if n % 3 else {"why": "long"}
    limit = None if n % 7 == 0 else n
    return {"score": n / 1_000, "decision": "no", "limit": limit, "meta": {"id": f"{n}"}, **why}


def rowed(n: int) -> Answer:
    return {"predictions": [answer(n), answer(n + 1)], "model": "one"}


def found(make: Callable[[int], Answer], *changes: Callable[[Answer], object]) -> Compared:
    """The shadow's answers score otherwise, and each change is made in a tenth of the pairs."""
    production, shadow = [], []
    for n in range(PAIRS):
        production.append(in_json(json.dumps(make(n))))
        other = make(n)
        for row in other.get("predictions", [other]):
            row["score"] += 0.0001
        if n % 10 < len(changes):
            changes[n % 10](other)
        shadow.append(in_json(json.dumps(other)))
    return compare(production, shadow)


def without(*place: str | int) -> Callable[[Answer], object]:
    def change(answered: Any) -> None:  # noqa: ANN401 - any JSON
        *above, last = place
        for step in above:
            answered = answered[step]
        del answered[last]

    return change


def saying(key: str, value: object) -> Callable[[Answer], object]:
    return lambda answered: answered.update({key: value})


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (
            answer,
            {
                "field-missing": [without("limit"), without("meta", "id"), saying("meta", None)],
                "field-type": [
                    saying("decision", None),
                    saying("limit", "0"),
                    saying("meta", {"id": ["1"]}),
                ],
                "type": [saying("score", "0.5")],
            },
        ),
        (rowed, {"field-missing": [without("model"), without("predictions", 1, "decision")]}),
    ],
)
def test_an_answer_without_what_production_always_says_is_changed(
    make: Callable[[int], Answer], changes: dict[str, list[Callable[[Answer], object]]]
) -> None:
    compared = found(make, *(change for alike in changes.values() for change in alike))
    assert compared.kind == "probability"
    assert compared.counts["changed_pairs"] == PAIRS / 10 * sum(map(len, changes.values()))
    for code, alike in changes.items():
        assert compared.codes[code] == PAIRS / 10 * len(alike)
    assert compared.counts["judged_pairs"] == PAIRS


@pytest.mark.parametrize("make", [answer, rowed])
def test_what_production_itself_leaves_out_or_adds_is_no_change(
    make: Callable[[int], Answer],
) -> None:
    changes: list[Callable[[Answer], object]] = [
        lambda answered: answered,
        saying("more", {"of": 1}),
        saying("decision", "yes"),
        lambda answered: answered.pop("why", None),
        saying("limit", None),
    ]
    of_rows = [
        lambda answered, change=change: change(answered["predictions"][0]) for change in changes
    ]
    made = found(make, *(changes if make is answer else of_rows))
    assert made.counts["changed_pairs"] == 0
    assert made.counts["judged_pairs"] == PAIRS


def test_the_fields_beside_a_score_are_named_and_said_not_to_be_compared() -> None:
    rows = found(rowed, without("model")).rows("prediction_shape")
    (text,) = [row["text"] for row in rows if row["code"] == "fields-uncompared"]
    assert text.startswith("answers also hold model, decision, limit, meta.id: that they are there")


def test_of_few_answers_no_field_is_asked_for() -> None:
    production = [in_json(json.dumps(answer(n))) for n in range(99)]
    shadow = [in_json(json.dumps({"score": 0.5})) for _ in range(99)]
    assert compare(production, shadow).counts["changed_pairs"] == 0


def test_a_score_that_is_no_share_is_a_changed_answer() -> None:
    production = [f"{n / PAIRS}" for n in range(PAIRS)]
    shadow = ["-1", "1.05", "1.0000000001", *production[3:]]
    compared = compare(production, shadow)
    assert compared.codes["not-a-share"] == compared.counts["changed_pairs"] == 2
    quantities = policy_of(kind="regression")
    assert compare(production, shadow, policy=quantities).counts["changed_pairs"] == 0


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("probabilities", {}),
        pytest.param("probabilities", {"kind": "multiclass"}, marks=pytest.mark.long),
        ("probabilities", {"path": "probabilities"}),
        pytest.param("predictions", {}, marks=pytest.mark.long),
        (None, {}),
        pytest.param(None, {"kind": "multiclass"}, marks=pytest.mark.long),
    ],
)
def test_one_list_of_shares_of_one_is_one_prediction(key: str | None, named: Answer) -> None:
    shares = [(n / PAIRS, 1 - n / PAIRS) for n in range(PAIRS)]
    texts = [json.dumps({key: pair} if key else pair) for pair in shares]
    turned = [json.dumps({key: pair[::-1]} if key else pair[::-1]) for pair in shares]
    compared = compare([*map(in_json, texts)], [*map(in_json, turned)], policy=policy_of(**named))
    assert compared.kind == "multiclass"
    assert compared.counts["predictions"] == PAIRS
    assert compared.counts["flipped"] > 0.9 * PAIRS


def test_a_list_of_several_requests_scores_stays_one_prediction_each() -> None:
    texts = [json.dumps({"predictions": [n / PAIRS, n / PAIRS]}) for n in range(PAIRS)]
    compared = compare([*map(in_json, texts)], [*map(in_json, texts)])
    assert compared.kind == "probability"
    assert compared.counts["predictions"] == 2 * PAIRS


def decided(n: int, decision: str) -> str:
    """A score and what follows from it, a version, and an ID."""
    answered = {"score": n / PAIRS, "decision": decision, "version": "7", "id": f"{n}"}
    return json.dumps(answered)


@pytest.mark.parametrize(
    ("named", "differing"),
    [
        ({}, PAIRS // 3),
        ({"path": "score"}, 0),
        pytest.param({"path": "decision"}, 0, marks=pytest.mark.long),
    ],
)
def test_labels_beside_a_score_are_compared_unless_the_policy_names_what_is(
    named: Answer, differing: int
) -> None:
    """The shadow gives one decision to all, under another version and other IDs."""
    words = ["no" if n % 3 else "yes" for n in range(PAIRS)]
    production = [in_json(decided(n, word)) for n, word in enumerate(words)]
    shadow = [in_json(decided(n, "no").replace('"7"', '"8"')) for n in range(PAIRS)]
    compared = compare(production, shadow, policy=policy_of(**named))
    assert compared.counts["relabelled_pairs"] == differing
    assert compared.counts["labelled_pairs"] == (0 if named else PAIRS)
    assert sum(row["relabelled_pairs"] for row in compared.rows("contract_hours")) == differing


def test_labels_of_the_rows_of_one_answer_are_one_pairs() -> None:
    production = [in_json(json.dumps({"predictions": rows(n, n % 2)})) for n in range(PAIRS)]
    shadow = [in_json(json.dumps({"predictions": rows(n, n % 2 and n > 30)})) for n in range(PAIRS)]
    compared = compare(production, shadow)
    assert (compared.kind, compared.path) == ("probability", "predictions[*].score")
    assert compared.counts["relabelled_pairs"] == 15


def rows(n: int, second: object) -> list[Answer]:
    scores = (n / PAIRS, n / PAIRS / 2)
    said = zip(scores, (0, int(bool(second))), strict=True)
    return [{"score": score, "predicted_label": label} for score, label in said]
