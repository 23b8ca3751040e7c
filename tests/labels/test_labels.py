"""Runs with ground truth: which label belongs to which pair, and what is said of the others."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import (  # type: ignore[import-untyped]
    brier_score_loss,
    log_loss,
    roc_auc_score,
)

from analyzer import analysis
from analyzer.console.progress import silent
from analyzer.errors import AccessError, InputError, UsageError
from analyzer.report import markdown
from analyzer.report.content import predictions_page, verdict_page
from analyzer.report.content.page import Table
from tests.labels.labels_builders import (
    Asked,
    capture,
    fates,
    judged,
    line_codes,
    outcomes,
    read,
    truth,
    write,
)

if TYPE_CHECKING:
    from analyzer.analysis import Analysis

PROMOTE = Path(__file__).parents[2] / "sample_data" / "promote"
WORDS = ("yes", "no", "maybe")


def worded(count: int, seed: int = 1) -> tuple[list[Asked], list[str]]:
    """Requests answered in words, with what would have been right."""
    rng = np.random.default_rng(seed)
    right = [WORDS[k] for k in rng.integers(0, 3, count)]
    said = [
        [WORDS[k] if wrong else word for word, wrong, k in zip(right, missed, others, strict=True)]
        for missed, others in (
            (rng.random(count) < 0.2, rng.integers(0, 3, count)) for _ in range(2)
        )
    ]
    requests = [Asked(p, s, f"request {k}") for k, (p, s) in enumerate(zip(*said, strict=True))]
    return requests, right


def by_hand(requests: list[Asked], right: list[str]) -> dict[tuple[str, str], int]:
    word = {True: "right", False: "wrong"}
    return dict(
        Counter(
            (word[asked.production == label], word[asked.shadow == label])
            for asked, label in zip(requests, right, strict=True)
        )
    )


def test_sagemakers_ground_truth_gives_the_table_counted_by_hand(tmp_path: Path) -> None:
    requests, right = worded(1_200)
    source = capture(tmp_path / "captures", requests)
    half = len(right) // 2
    lines = [truth(f"request {k}", label) for k, label in enumerate(right)]
    write(tmp_path / "labels/2026/11/20/07/a.jsonl", lines[:half])
    late = tmp_path / "labels/2026/12/01/00/b.jsonl.gz"
    late.parent.mkdir(parents=True)
    late.write_bytes(gzip.compress("".join(lines[half:]).encode()))
    done = judged(source, tmp_path / "labels")
    expected = by_hand(requests, right)
    assert outcomes(done) == expected
    accuracy = done.verdict.metrics["accuracy"]
    alone = expected["wrong", "right"] - expected["right", "wrong"]
    assert accuracy.effect is not None
    assert accuracy.effect.estimate == pytest.approx(alone / 1_200, abs=1e-9)
    assert accuracy.production == pytest.approx(
        (expected["right", "right"] + expected["right", "wrong"]) / 1_200, abs=1e-9
    )
    assert (accuracy.n.pairs, accuracy.n.effective) == (1_200, 1_200)
    assert fates(done) == {"label.matched": 1_200, "label.paired": 1_200}


@pytest.mark.parametrize(
    "forms",
    [
        ("jsonl", "csv", "parquet"),
        *(pytest.param((one,), marks=pytest.mark.long) for one in ("jsonl", "csv", "parquet")),
    ],
    ids="-".join,
)
def test_csv_and_parquet_give_what_json_lines_give(tmp_path: Path, forms: tuple[str, ...]) -> None:
    """Each form has its part of the labels."""
    requests, right = worded(300)
    source = capture(tmp_path / "captures", requests)
    (tmp_path / "labels").mkdir()
    for place, form in enumerate(forms):
        words = right[place :: len(forms)]
        ids = [asked.inference_id for asked in requests[place :: len(forms)]]
        path = tmp_path / "labels" / f"labels.{form}"
        if form == "jsonl":
            write(path, (truth(str(i), label) for i, label in zip(ids, words, strict=True)))
        elif form == "csv":
            rows = (f'x,"{w}",{i}\r\n' for i, w in zip(ids, words, strict=True))
            write(path, ["\ufeffwho,LABEL,Id\r\n", *rows])
        else:
            frame = pl.DataFrame({"Label": words, "other": range(len(words)), "ID": ids})
            frame.write_parquet(path)
    assert outcomes(judged(source, tmp_path / "labels")) == by_hand(requests, right)


def test_a_label_names_the_event_where_the_client_set_no_inference_id(tmp_path: Path) -> None:
    named = [Asked("yes", "no", event_id=f"event-{k}") for k in range(20)]
    both = [Asked("no", "no", f"id {k}", f"event-{k}") for k in range(20, 30)]
    source = capture(tmp_path / "captures", [*named, *both])
    lines = [truth(f"event-{k}", "yes") for k in range(25)]
    lines += [truth(f"id {k}", "no") for k in range(20, 30)]
    done = judged(source, write(tmp_path / "labels.jsonl", lines))
    # five labels name the event of a request that another label names by its inference ID
    assert fates(done)["label.unmatched"] == 5
    assert fates(done)["label.paired"] == 30
    assert outcomes(done) == {
        ("right", "right"): 10,
        ("right", "wrong"): 20,
        ("wrong", "right"): 0,
        ("wrong", "wrong"): 0,
    }


def test_what_cannot_be_used_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    requests = [Asked("yes", "no", f"r{k}") for k in range(10)]
    source = capture(tmp_path / "captures", requests)
    folder = tmp_path / "labels"
    write(
        folder / "a.jsonl",
        [
            truth("r0", "yes"),
            truth("r0", '"yes"'),  # the same label of the same ID again
            truth("r1", "yes"),
            truth("r1", "no"),  # a conflict
            truth("r2", "yes", encoding=None),
            truth("r3", "eWVz", encoding="BASE64"),
            truth("elsewhere", "no"),
            truth("", "no"),
            truth("r4", ""),
            truth("r5", "null"),
            "{not json\n",
            "[]\n",
            "\n",
        ],
    )
    (folder / "b.csv").write_bytes(b"id,label\nr6,yes\nr7\n\nr8,\xff\n,yes\n")
    write(folder / "c.csv", ["name,value\n", "r9,yes\n"])
    (folder / "d.parquet").write_bytes(b"no parquet")
    (folder / "notes.txt").write_text("r9,no", encoding="utf-8")
    done = judged(source, folder)
    assert fates(done) == {
        "label.matched": 4,
        "label.unmatched": 1,
        "label.conflict": 1,
        "label.repeated": 1,
        "label.invalid-csv": 1,
        "label.invalid-json": 1,
        "label.invalid-parquet": 1,
        "label.invalid-utf8": 1,
        "label.no-columns": 2,
        "label.no-id": 3,
        "label.no-label": 2,
        "label.paired": 4,
        "label.missing": 5,
        "label.conflicting-pair": 1,
    }
    notes = {note.code: note.text for note in done.verdict.notes}
    assert notes["labels"] == (
        "4 of 10 pairs have a label; 1 labelled ID of 5 match no pair"  # r0, r2, r3, r6
    )
    assert "1 ID label.conflict" in notes["labels-left-out"]
    assert "1 line label.invalid-json" in notes["labels-left-out"]


def test_an_id_of_different_requests_is_not_guessed_at(tmp_path: Path) -> None:
    requests = [
        Asked("yes", "yes", "0", payload="1,1"),
        Asked("yes", "yes", "0", payload="2,2"),
        Asked("no", "yes", "1", payload="3,3"),
        Asked("no", "yes", "1", payload="3,3"),
    ]
    source = capture(tmp_path / "captures", requests)
    labels = write(tmp_path / "labels.jsonl", [truth("0", "yes"), truth("1", "yes")])
    done = judged(source, labels)
    assert fates(done)["label.ambiguous-id"] == 2
    assert fates(done)["label.paired"] == 2
    assert outcomes(done)["wrong", "right"] == 2
    # one input sent twice is worth one
    assert done.verdict.metrics["accuracy"].n.effective == 1


def test_a_request_of_many_rows_has_a_label_for_each(tmp_path: Path) -> None:
    requests = [
        Asked("yes\nno\nyes\n", "yes\nyes\nyes\n", "three"),
        Asked("yes\nno\n", "no\nno\n", "two"),
        Asked("no\nno\n", "no\nno\n", "wrong number"),
    ]
    source = capture(tmp_path / "captures", requests)
    lines = [
        truth("three", "yes\nno\nyes\n"),
        truth("two", '["yes", null]', encoding="JSON"),
        truth("wrong number", "yes"),
    ]
    done = judged(source, write(tmp_path / "labels.jsonl", lines))
    assert outcomes(done) == {
        ("right", "right"): 2,
        ("right", "wrong"): 2,
        ("wrong", "right"): 0,
        ("wrong", "wrong"): 0,
    }
    assert fates(done)["label.not-comparable"] == 1


def scored(count: int, harm: float, seed: int = 5) -> tuple[list[Asked], list[str]]:
    """Scores of two variants right on 90 % and on 90 % less the harm; 1 % differ in any case."""
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.4
    production = rng.random(count) < 0.9
    shadow = production.copy()
    few, more = count // 200, count // 200 + int(harm * count)
    shadow[rng.choice(np.flatnonzero(production), more, replace=False)] = False
    shadow[rng.choice(np.flatnonzero(~production), few, replace=False)] = True
    sides = [
        np.where(positive == right, 0.75, 0.25) + rng.uniform(-0.2, 0.2, count).round(4)
        for right in (production, shadow)
    ]
    requests = [
        Asked(f"{p:.4f}", f"{s:.4f}", f"r{k}") for k, (p, s) in enumerate(zip(*sides, strict=True))
    ]
    return requests, [str(int(one)) for one in positive]


class Scored(NamedTuple):
    """Scores of a shadow that loses four of a hundred, and what a run made of them."""

    requests: list[Asked]
    right: list[str]
    source: Path
    done: Analysis


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory) -> Scored:
    """Judged by one file of labels, on one thread."""
    folder = tmp_path_factory.mktemp("losing")
    requests, right = scored(1_500, 0.04)
    source = capture(folder / "captures", requests)
    labels = write(folder / "l.jsonl", (truth(f"r{k}", y) for k, y in enumerate(right)))
    return Scored(requests, right, source, judged(source, labels, threads=1))


def test_a_loss_beyond_the_margin_rejects(losing: Scored) -> None:
    agrees_with_scikit(losing.requests, losing.right, losing.done, "fail")


@pytest.mark.long
def test_equal_accuracy_passes(tmp_path: Path) -> None:
    requests, right = scored(12_000, 0.0)
    source = capture(tmp_path / "captures", requests)
    labels = write(
        tmp_path / "l.csv", ["id,label\n", *(f"r{k},{y}\n" for k, y in enumerate(right))]
    )
    agrees_with_scikit(requests, right, judged(source, labels), "pass")


def agrees_with_scikit(
    requests: list[Asked], right: list[str], done: Analysis, outcome: str
) -> None:
    """Outcome, decision and every number of either side."""
    accuracy = done.verdict.metrics["accuracy"]
    assert (accuracy.outcome.value, accuracy.required) == (outcome, True)
    assert (done.verdict.decision.value == "REJECT") == (outcome == "fail")
    codes = [reason.code for reason in done.verdict.reasons]
    assert ("accuracy-regression" in codes) == (outcome == "fail")
    positive = np.array(right) == "1"
    for name, sides in (
        ("production", [float(asked.production) for asked in requests]),
        ("shadow", [float(asked.shadow) for asked in requests]),
    ):
        scores = np.array(sides)
        found = {metric: getattr(item, name) for metric, item in done.verdict.metrics.items()}
        assert found["accuracy"] == pytest.approx(((scores >= 0.5) == positive).mean(), abs=1e-9)
        assert found["log_loss"] == pytest.approx(log_loss(positive, scores), abs=1e-8)
        assert found["brier_score"] == pytest.approx(brier_score_loss(positive, scores), abs=1e-8)
        assert found["auc"] == pytest.approx(roc_auc_score(positive, scores), abs=2e-3)
        tenth = np.minimum((scores * 10).astype(int), 9)
        gap = np.bincount(tenth, scores - positive)
        assert found["calibration_error"] == pytest.approx(np.abs(gap).sum() / len(right), abs=1e-8)


def test_swapping_the_variants_negates_what_labels_say(tmp_path: Path, losing: Scored) -> None:
    turned = [Asked(one.shadow, one.production, one.inference_id) for one in losing.requests]
    labels = write(tmp_path / "l.jsonl", (truth(f"r{k}", y) for k, y in enumerate(losing.right)))
    one = losing.done.verdict.metrics
    other = judged(capture(tmp_path / "captures", turned), labels).verdict.metrics
    for metric in ("accuracy", "log_loss", "brier_score", "auc", "calibration_error"):
        there, back = one[metric].effect, other[metric].effect
        assert there is not None
        assert back is not None
        assert there.estimate == pytest.approx(-(back.estimate or 0), abs=1e-8)
        fixed, turned_fixed = one[metric].intervals.fixed, other[metric].intervals.fixed
        if fixed is not None and turned_fixed is not None:
            assert fixed[0] == pytest.approx(-turned_fixed[1], abs=1e-8)


def test_quantities_are_compared_by_their_distance_from_the_label(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y, p, s = (rng.normal(100, 20, 1_500).round(3) for _ in range(3))
    requests = [Asked(str(a), str(b), f"r{k}") for k, (a, b) in enumerate(zip(p, s, strict=True))]
    labels = tmp_path / "labels.parquet"
    pl.DataFrame({"id": [f"r{k}" for k in range(1_500)], "label": y}).write_parquet(labels)
    metrics = judged(capture(tmp_path / "captures", requests), labels).verdict.metrics
    error = metrics["mean_absolute_error"]
    assert error.production == pytest.approx(np.abs(p - y).mean(), rel=1e-8)
    assert error.shadow == pytest.approx(np.abs(s - y).mean(), rel=1e-8)
    change = np.abs(s - y) - np.abs(p - y)
    half = 1.6448536 * change.std() / 1_500**0.5
    assert error.intervals.fixed == pytest.approx(
        (change.mean() - half, change.mean() + half), rel=1e-6
    )
    roots = [np.sqrt(np.mean((x - y) ** 2)) for x in (p, s)]
    gap = roots[1] - roots[0]
    parts = (s - y) ** 2 / (2 * roots[1]) - (p - y) ** 2 / (2 * roots[0])
    half = 1.6448536 * parts.std() / 1_500**0.5
    (note,) = error.notes
    assert note.text == (
        f"root mean square error: production {roots[0]:.4g}, shadow {roots[1]:.4g}; difference "
        f"{gap:.4g} ({gap - half:.4g} to {gap + half:.4g})"
    )
    # a default must not hold a run up over a question its outputs cannot be asked
    assert (metrics["accuracy"].role.value, metrics["accuracy"].required) == ("evidence", False)


def test_the_place_of_the_largest_number_is_what_a_label_of_classes_names(tmp_path: Path) -> None:
    """Shares of classes are read as such; other lists of numbers where the policy says so."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, 400)
    sides = []
    for noise in (0.6, 0.9):
        scores = np.eye(3)[y] + rng.normal(0, noise, (400, 3))
        sides.append(scores.round(4))
    right = [scores.argmax(axis=1) == y for scores in sides]
    labels = write(tmp_path / "l.jsonl", (truth(f"r{k}", str(label)) for k, label in enumerate(y)))
    lines = [[",".join(map(str, row)) for row in scores.tolist()] for scores in sides]
    requests = [Asked(a, b, f"r{k}") for k, (a, b) in enumerate(zip(*lines, strict=True))]
    source = capture(tmp_path / "captures", requests)
    plain = judged(source, labels).verdict.metrics["accuracy"]
    assert 'predictions.kind = "multiclass"' in plain.notes[-1].text
    found = judged(source, labels, "predictions.kind=multiclass").verdict.metrics["accuracy"]
    assert (found.production, found.shadow) == (right[0].mean(), right[1].mean())
    assert found.effect is not None
    assert found.effect.estimate == pytest.approx(right[1].mean() - right[0].mean())


def test_true_and_false_are_one_and_nought_and_other_words_are_counted(tmp_path: Path) -> None:
    requests = [Asked("0.75", "0.25", f"r{k}") for k in range(40)]
    labels = ["true", "TRUE", "1", "1.000e+00", "false", "0", "perhaps", "2"] * 5
    path = write(tmp_path / "l.jsonl", (truth(f"r{k}", y) for k, y in enumerate(labels)))
    done = judged(capture(tmp_path / "captures", requests), path)
    assert outcomes(done)["right", "wrong"] == 20
    assert outcomes(done)["wrong", "right"] == 10
    assert fates(done)["label.misfit"] == 10
    said = {note.code: note.text for note in done.verdict.notes}["label-misfits"]
    assert said == (
        "labels of 10 predictions do not fit outputs read as probability, which take 0 or 1, true "
        "or false; seen: others (10)"
    )


def test_labels_that_do_not_fit_are_named_unless_they_are_rare(tmp_path: Path) -> None:
    requests = [Asked("0.75", "0.25", f"r{k}") for k in range(60)]
    labels = ["yes"] * 25 + ["no"] * 20 + ["Jane Doe"] * 15
    path = write(tmp_path / "l.jsonl", (truth(f"r{k}", y) for k, y in enumerate(labels)))
    source = capture(tmp_path / "captures", requests)
    for shown, seen in (
        ("none", "yes (25), no (20), others (15)"),
        ("shown", "yes (25), no (20), Jane Doe (15)"),
    ):
        verdict = judged(source, path, f"redaction.payloads={shown}").verdict
        said = {note.code: note.text for note in verdict.notes}["label-misfits"]
        assert said.endswith(f"take 0 or 1, true or false; seen: {seen}")


def test_a_file_that_lacks_a_column_is_named_with_those_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    write(folder / "a.csv", ["inference_id,y\n", "r0,yes\n"])
    write(folder / "b.csv", ["r1,yes,cd613e30-d8f1\n", "r2,no,1\n"])
    pl.DataFrame({"ID": ["r3"], "truth": ["yes"]}).write_parquet(folder / "c.parquet")
    write(folder / "d.csv", ["id,label\n", "r4,yes\n"])
    _, notes = read(folder)
    assert [note.text for note in notes if note.code == "label-columns"] == [
        "labels: a.csv: found the columns inference_id, y; the header must name id,label",
        "labels: b.csv: found no header; the header must name id,label",
        "labels: c.parquet: found the columns ID, truth; the header must name id,label",
    ]


def test_a_shadow_that_loses_leading_zeros_is_wrong(tmp_path: Path) -> None:
    """Codes of five digits, which the shadow answers as numbers."""
    codes = [f"{k % 40 + 1:05}" for k in range(1_200)]
    requests = [Asked(code, code.lstrip("0"), f"r{k}") for k, code in enumerate(codes)]
    path = write(tmp_path / "l.jsonl", (truth(f"r{k}", code) for k, code in enumerate(codes)))
    done = judged(capture(tmp_path / "captures", requests), path, "predictions.kind=label")
    assert outcomes(done)["right", "wrong"] == 1_200
    assert done.verdict.metrics["accuracy"].outcome.value == "fail"
    flips = done.verdict.metrics["flip_rate"].effect
    assert flips is not None
    assert flips.estimate == 1


@pytest.mark.long
def test_a_label_of_a_class_is_the_name_that_a_variant_answers(tmp_path: Path) -> None:
    answers = ["1", "1.0", "01", "1E0", "1.50", "-0"]
    labels = ["1.0", "1", "1", "1", "1.5", "0.0"]
    requests = [Asked(word, word, f"r{k}") for k, word in enumerate(answers)]
    path = write(tmp_path / "l.jsonl", (truth(f"r{k}", one) for k, one in enumerate(labels)))
    done = judged(capture(tmp_path / "captures", requests), path, "predictions.kind=label")
    assert outcomes(done)["right", "right"] == 3
    assert outcomes(done)["wrong", "wrong"] == 3


@pytest.mark.parametrize(
    ("answers", "labels", "code"),
    [
        pytest.param(("yes", "no"), ("yes", "no"), "too-few-labels", marks=pytest.mark.long),
        (("yes", "no") * 700, ("yes",) * 1_400, "one-truth"),
        (("yes", "no") * 700, ("Y", "N") * 700, "foreign-labels"),
    ],
)
def test_equal_answers_do_not_pass_where_labels_say_nothing(
    tmp_path: Path, answers: tuple[str, ...], labels: tuple[str, ...], code: str
) -> None:
    requests = [Asked(word, word, f"r{k}") for k, word in enumerate(answers)]
    path = write(tmp_path / "l.jsonl", (truth(f"r{k}", y) for k, y in enumerate(labels)))
    accuracy = judged(capture(tmp_path / "captures", requests), path).verdict.metrics["accuracy"]
    assert accuracy.outcome.value == "unresolved"
    assert accuracy.notes[-1].code == code
    assert accuracy.needs is not None


def test_none_is_a_label_like_any_other(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("none", "some", f"r{k}") for k in range(10)])
    done = judged(source, write(tmp_path / "l.csv", ["id,label\n", "r0,none\n", "r1,\n"]))
    assert outcomes(done)["right", "wrong"] == 1
    assert fates(done)["label.no-label"] == 1


def test_labels_that_match_nothing_hold(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(10)])
    done = judged(source, write(tmp_path / "l.jsonl", [truth("other", "yes")]))
    accuracy = done.verdict.metrics["accuracy"]
    assert (accuracy.outcome.value, accuracy.notes[-1].code) == ("unresolved", "no-label-matches")
    assert "accuracy-unresolved" in [reason.code for reason in done.verdict.reasons]


def test_text_has_no_right_answer_yet_and_says_so(tmp_path: Path) -> None:
    requests = [Asked(f"some long answer {k}", f"another one {k}", f"r{k}") for k in range(50)]
    source = capture(tmp_path / "captures", requests)
    labels = write(tmp_path / "l.jsonl", (truth(f"r{k}", "yes") for k in range(50)))
    done = judged(source, labels, "predictions.kind=text")
    accuracy = done.verdict.metrics["accuracy"]
    assert accuracy.notes[-1].code == "not-applicable"
    assert fates(done)["label.paired"] == 50
    assert "label_outcomes" not in done.tables


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Analysis]:
    """Captures of sixty requests, long settled so that answers are kept, judged without labels."""
    source = capture(tmp_path_factory.mktemp("unlabelled") / "captures", worded(60)[0])
    settle(*source.rglob("*.jsonl"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(source.parent / "cache"))
        return source, judged(source, None)


def settle(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (1_700_000_000, 1_700_000_000))


def test_without_labels_a_run_is_asked_nothing_about_them(
    unlabelled: tuple[Path, Analysis],
) -> None:
    source, plain = unlabelled
    assert not {"accuracy", "log_loss", "auc"} & set(plain.verdict.metrics)
    asked = judged(source, None, "metrics.accuracy.margin=-0.01").verdict
    assert asked.metrics["accuracy"].notes[-1].code == "no-labels"
    assert asked.metrics["accuracy"].required


def test_other_labels_are_another_question_and_another_digest(
    tmp_path: Path, unlabelled: tuple[Path, Analysis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that finds the answer of the last one kept does not answer with it."""
    requests, right = worded(60)
    source, none = unlabelled
    monkeypatch.setenv("XDG_CACHE_HOME", str(source.parent / "cache"))
    labels = write(tmp_path / "l.jsonl", (truth(f"request {k}", y) for k, y in enumerate(right)))
    settle(labels)
    first, again = judged(source, labels), judged(source, labels)
    assert {"accuracy", "log_loss", "auc"} <= set(first.verdict.metrics)
    assert first.verdict == again.verdict
    write(labels, (truth(f"request {k}", "yes") for k in range(60)))
    os.utime(labels, (1_700_000_060, 1_700_000_060))
    other = judged(source, labels)
    assert outcomes(first) == by_hand(requests, right)
    assert outcomes(other) == by_hand(requests, ["yes"] * 60)
    digests = {done.verdict.inputs.digest for done in (none, first, other)}
    assert len(digests) == 3


def test_files_order_and_threads_change_no_byte(tmp_path: Path, losing: Scored) -> None:
    lines = [truth(f"r{k}", y) for k, y in enumerate(losing.right)]
    for part in range(3):
        write(tmp_path / f"many/{part}.jsonl", reversed(lines[part::3]))
    again = judged(losing.source, tmp_path / "many", threads=2)
    assert again.verdict.to_json() == losing.done.verdict.to_json()


@cache
def said_in_scenario() -> dict[str, dict[str, bool]]:
    """Inference ID -> variant -> whether it says yes, in the scenario that promotes."""
    said: dict[str, dict[str, bool]] = {}
    for path in sorted((PROMOTE / "captures").rglob("*.jsonl*")):
        below = path.relative_to(PROMOTE).as_posix()
        variant = "shadow" if "shadow" in below else "production"
        data = path.read_bytes()
        text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        for row in map(json.loads, text.splitlines()):
            score = float(row["captureData"]["endpointOutput"]["data"])
            said.setdefault(row["eventMetadata"]["inferenceId"], {})[variant] = score >= 0.5
    return said


def labelled_scenario(tmp_path: Path, *, follows: str) -> Analysis:
    """The scenario that promotes, with labels by which one variant is always right."""
    lines = [
        truth(found, str(int(side[follows])))
        for found, side in said_in_scenario().items()
        if follows in side
    ]
    request = analysis.Request(
        source=str(PROMOTE / "captures"),
        cloudwatch=(str(PROMOTE / "cloudwatch"),),
        policy_file=PROMOTE / "policy.toml",
        labels=str(write(tmp_path / "labels.jsonl", lines)),
    )
    return analysis.run(request, silent)


@pytest.fixture(scope="module")
def read_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which a run finds what the last one read of the same captures."""
    return tmp_path_factory.mktemp("read_before")


@pytest.mark.parametrize(("follows", "decision"), [("shadow", "PROMOTE"), ("production", "REJECT")])
def test_labels_decide_a_test_in_which_all_else_passes(
    tmp_path: Path,
    follows: str,
    decision: str,
    read_before: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(read_before))
    done = labelled_scenario(tmp_path, follows=follows)
    assert done.verdict.decision.value == decision, done.verdict.summary


def test_the_policy_takes_a_loss_as_a_negative_number(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", "r")])
    with pytest.raises(
        UsageError, match=r"a loss between -1 and 0 \(-0.005 = -0.5 pp\), got 0.005"
    ):
        judged(source, None, "metrics.accuracy.margin=0.005")


def test_a_path_without_labels_is_refused(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", "r")])
    with pytest.raises(InputError, match="no such file or folder"):
        judged(source, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no label files; looked for"):
        judged(source, tmp_path / "empty")
    oddly_named = write(tmp_path / "odd/labels.txt", [truth("r", "yes")])
    with pytest.raises(InputError, match="no label files; looked for"):
        judged(source, oddly_named.parent)
    assert line_codes(oddly_named) == {None: 1}


def test_labels_without_captures_are_refused() -> None:
    request = analysis.Request(
        endpoint="churn-endpoint", cloudwatch=(str(PROMOTE / "cloudwatch"),), labels="labels"
    )
    with pytest.raises(UsageError, match="no captured answers to judge"):
        analysis.run(request, silent)


def test_a_damaged_label_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(10)])
    folder = tmp_path / "labels"
    write(folder / "a.jsonl", [truth("r0", "yes")])
    whole = gzip.compress("".join(truth(f"r{k}", "yes") for k in range(1, 10)).encode())
    (folder / "b.jsonl.gz").write_bytes(whole[:-12])
    done = judged(source, folder)
    assert fates(done)["label.paired"] >= 1
    assert "object-corrupt-gzip" in {note.code for note in done.verdict.notes}


def test_a_label_file_that_cannot_be_opened_is_an_access_error(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    write(folder / "a.jsonl", [truth("r", "yes")])
    hidden = folder / "b.jsonl"
    hidden.symlink_to(hidden)  # a link to itself cannot be opened, even by root
    with pytest.raises(AccessError, match=r"b\.jsonl"):
        line_codes(folder)


def test_the_prediction_page_shows_right_and_wrong_calibration_and_labels(losing: Scored) -> None:
    done = losing.done
    page = predictions_page(done.verdict, done.tables)
    blocks = {getattr(block, "title", ""): block for block in page.blocks}
    assert "Right and wrong: production and shadow" in blocks
    assert isinstance(blocks["Stated and observed shares"], Table)
    assert len(blocks["Stated and observed shares"].rows) == 20
    assert isinstance(blocks["Labels"], Table)
    assert blocks["Labels"].rows[0] == ("label.matched", "1 500", "IDs")
    assert "-0.50 pp" in markdown.render(verdict_page(done.verdict))


@pytest.mark.parametrize(
    ("lost", "burst"),
    [
        (range(300, 320), True),
        pytest.param(range(0, 1_200, 60), False, marks=pytest.mark.long),
    ],
    ids=["burst", "spread"],
)
def test_losses_of_one_bad_hour_are_worth_fewer_predictions(
    tmp_path: Path, lost: range, *, burst: bool
) -> None:
    """One request a minute, twenty hours; the shadow loses twenty, of one hour or of all."""
    requests, right = worded(1_200)
    asked = [
        Asked(label, "none" if k in lost else label, one.inference_id)
        for k, (one, label) in enumerate(zip(requests, right, strict=True))
    ]
    source = capture(tmp_path / "captures", asked, every_s=60)
    labels = [truth(f"request {k}", label) for k, label in enumerate(right)]
    done = judged(source, write(tmp_path / "labels.jsonl", labels))
    accuracy = done.verdict.metrics["accuracy"]
    assert ("bursts" in {note.code for note in accuracy.notes}) is burst
    worth = accuracy.n.effective
    assert worth is not None
    assert worth < 100 if burst else worth == 1_200


def test_files_that_are_not_read_for_labels_are_counted_and_hidden_ones_are_not_read(
    tmp_path: Path,
) -> None:
    requests, right = worded(1_200)
    source = capture(tmp_path / "captures", requests)
    lines = [truth(f"request {k}", label) for k, label in enumerate(right)]
    write(tmp_path / "labels/a.jsonl", lines[:500])
    write(tmp_path / "labels/b.txt", lines[500:])
    write(tmp_path / "labels/.old/a.jsonl", [truth("request 1", "another")])
    write(tmp_path / "labels/_SUCCESS", [])
    done = judged(source, tmp_path / "labels")
    assert fates(done) == {"label.matched": 500, "label.paired": 500, "label.missing": 700}
    (note,) = (note for note in done.verdict.notes if note.code == "label-files-left-out")
    assert note.text == "not read for labels: 2 files (1 hidden, 1 not-labels)"
