"""Every real form of an output, recognised; what cannot be recognised says which key would help."""

from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from analyzer.errors import PolicyError
from analyzer.payloads import detect
from analyzer.payloads.decoding import decode_binary
from analyzer.payloads.paths import follow, json_path, parse_path, show_path
from analyzer.policy import Predictions
from tests.payloads.captured_pairs import (
    Compared,
    Output,
    compare,
    in_base64,
    in_json,
    in_npy,
    policy_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from analyzer.payloads import OutputShape

SCORES = [0.0254181120544672, 0.1255551427602768, 0.9711341261863708, 0.5217539072036743]


def itself(outputs: Sequence[Output | str], **predictions: str) -> Compared:
    """A model against itself."""
    return compare(outputs, outputs, policy=policy_of(**predictions))


def shape_of(outputs: Sequence[Output | str], **predictions: str) -> OutputShape:
    """What plain outputs are taken for, without comparing them."""
    texts = [(one.data if isinstance(one, Output) else one) or "" for one in outputs]
    return detect(texts, Predictions.model_validate(predictions))


def test_single_scores_in_csv_with_and_without_newline_are_probabilities() -> None:
    compared = compare([f"{score!r}\n" for score in SCORES], [repr(score) for score in SCORES])
    assert compared.kind == "probability"
    assert compared.counts["predictions"] == 4
    assert compared.counts["flipped"] == compared.counts["shifted"] == 0
    assert compared.counts["mismatched_pairs"] == 0
    assert compared.codes == {"same": 4}


def test_clarify_predictions_are_read_at_the_score() -> None:
    text = json.dumps(
        {"predictions": [{"score": s, "predicted_label": int(s > 0.5)} for s in SCORES]}
    )
    compared = itself([in_json(text)] * 3)
    assert (compared.kind, compared.path) == ("probability", "predictions[*].score")
    assert compared.counts["predictions"] == 12


def test_json_lines_read_as_one_prediction_a_line() -> None:
    lines = "\n".join(json.dumps({"predicted_label": 1, "score": score}) for score in SCORES)
    compared = itself([in_json(lines + "\n"), in_json('{"predicted_label":1,"score":0.98}\n')])
    assert (compared.kind, compared.path) == ("probability", "score")
    assert compared.counts["predictions"] == 5


def test_columnar_json_is_a_regression_on_its_column() -> None:
    compared = itself([in_json('{"median_house_value": [452600.5, 358500.25]}')] * 2)
    assert (compared.kind, compared.path) == ("regression", "median_house_value[*]")
    assert compared.counts["predictions"] == 4
    assert compared.counts["flipped"] == 0
    assert compared.counts["labelled"] == 0


def test_pretty_printed_tensorflow_predictions_are_numbers() -> None:
    shape = shape_of([in_json('{\n    "predictions": [3.5, 4.0, 5.5\n    ]\n}')])
    assert (shape.kind, shape.shown_path) == ("regression", "predictions[*]")


def test_rows_of_shares_are_classes_by_their_largest() -> None:
    production = [in_json('{"predictions": [[0.1, 0.7, 0.2], [0.5, 0.25, 0.25]]}')] * 4
    shadow = [in_json('{"predictions": [[0.1, 0.7, 0.2], [0.25, 0.5, 0.25]]}')] * 4
    compared = compare(production, shadow)
    assert compared.kind == "multiclass"
    assert compared.counts["flipped"] == 4
    assert compared.rows("label_flips") == [
        {"production_label": "0", "shadow_label": "1", "predictions": 4},
        {"production_label": "1", "shadow_label": "1", "predictions": 4},
    ]


def test_csv_rows_of_shares_are_classes_too() -> None:
    compared = itself(["0.1,0.9\n0.8,0.2\n", "0.3,0.7"])
    assert compared.kind == "multiclass"
    assert compared.counts["predictions"] == 3


def test_logit_pairs_are_a_vector() -> None:
    compared = itself([in_json("[[-1.5, 2.25], [0.5, -0.75]]")])
    assert compared.kind == "vector"
    assert compared.counts["labelled"] == 0


def test_words_and_small_integers_are_labels() -> None:
    assert shape_of(["churn", "stay", "churn", "stay\n"]).kind == "label"
    assert shape_of(["0", "1", "1", "0.0"]).kind == "label"
    named = shape_of([in_json('[{"label": "POSITIVE", "score": 0.98}]')] * 3)
    assert named.shown_path == "[*].label"


CODES: list[list[Output | str]] = [
    [f"{k:05}" for k in range(25)],
    ["00501", *(f"{k}" for k in range(10_001, 10_025))],
    [f"{1_234_567_890_123_456_001 + k}" for k in range(25)],
    [in_json(f'{{"label": {1_234_567_890_123_456_001 + k}}}') for k in range(25)],
    [in_json(f'{{"label": "{k:05}"}}') for k in range(25)],
]


@pytest.mark.parametrize("codes", CODES)
def test_digits_that_no_quantity_has_are_names(codes: list[Output | str]) -> None:
    assert shape_of(codes * 10).kind == "label"
    assert shape_of(codes).kind == "text"  # seldom the same one twice


@pytest.mark.parametrize(
    "codes",
    [
        CODES[0],
        CODES[3],
        *(pytest.param(CODES[k], marks=pytest.mark.long) for k in (1, 2, 4)),
    ],
)
def test_names_in_digits_flip_to_other_ones(codes: list[Output | str]) -> None:
    compared = compare(codes * 10, [*codes[:24], codes[0]] * 10)
    assert (compared.kind, compared.counts["flipped"]) == ("label", 10)


@pytest.mark.parametrize(
    "numbers",
    [
        [f"{k / 4}" for k in range(50)],
        ["0", "-0", *(f"{k}" for k in range(50))],
        [f"{9_007_199_254_740_000 + k}" for k in range(50)],
        [f"{k}e17" for k in range(50)],
        [f"{k}.0" for k in range(9_100_000_000_000_000, 9_100_000_000_000_050)],
    ],
)
def test_other_numbers_stay_quantities(numbers: list[str]) -> None:
    assert shape_of(numbers).kind == "regression"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param(
            '{"generated_text": "The answer is 42."}', "generated_text", marks=pytest.mark.long
        ),
        ('[{"generated_text": "Hello,\\nworld"}]', "[*].generated_text"),
        (
            '{"choices": [{"message": {"role": "assistant", "content": "Yes"}}]}',
            "choices[*].message.content",
        ),
    ],
)
def test_generated_text_is_text(text: str, path: str) -> None:
    compared = itself([in_json(text)] * 3)
    assert (compared.kind, compared.path) == ("text", path)
    assert compared.codes == {"same": 3}
    assert "predictions" not in compared.counts


def beside(count: int = 50, **others: Callable[[float], object]) -> list[Output]:
    """Documents of a score and other fields, each a function of a number of its own."""
    rng = np.random.default_rng(8)
    return [
        in_json(json.dumps({"score": score, **{name: of(other) for name, of in others.items()}}))
        for score, other in rng.random((count, 2)).tolist()
    ]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("risk", lambda other: other),
        ("amount", lambda other: 1e4 * other),
        ("inner", lambda other: {"score": other}),
        ("list", lambda other: [other, 1 - other]),
        ("text", lambda other: f"{other}"),
    ],
)
def test_a_second_number_is_not_left_unjudged_until_the_policy_says_which_decides(
    name: str, field: Callable[[float], object]
) -> None:
    """A shadow that turns the other number round would differ in nothing that is judged."""
    documents = beside(50, **{name: field})
    undecided = shape_of(documents)
    assert undecided.kind == "json"
    (note,) = undecided.notes
    assert note.code == "output-kind-undecided"
    assert note.text.startswith(f"50 sampled outputs hold several numbers (score, {name}")
    assert shape_of(documents, path="score").kind == "probability"


def detected(count: int, *keys: str) -> list[Output]:
    """Documents of three objects each: a label, and a number of each key."""
    rng = np.random.default_rng(12)
    return [
        in_json(
            json.dumps(
                [
                    {"label": "dog" if rng.random() < 0.5 else "cat"}
                    | {key: round(rng.random() * 640, 1) for key in keys}
                    for _ in range(3)
                ]
            )
        )
        for _ in range(count)
    ]


def test_a_label_with_several_numbers_is_undecided_and_one_with_its_score_is_not() -> None:
    """Boxes 40 pixels off have the same labels as those that are right."""
    boxes = itself(detected(50, "confidence", "xmin", "ymin"))
    assert boxes.kind == "json"
    (note,) = boxes.rows("prediction_shape")
    assert note["code"] == "output-kind-undecided"
    assert "[*].confidence, [*].xmin, [*].ymin" in note["text"]
    assert shape_of(detected(50, "score")).kind == "label"
    named = shape_of(detected(50, "confidence", "xmin", "ymin"), path="[*].label")
    assert named.kind == "label"


def test_what_is_no_second_prediction_leaves_the_score_to_be_read() -> None:
    documents = beside(
        predicted_label=lambda other: int(other > 0.5),
        version=lambda _: 1.5,
        at=lambda other: round(1e9 * other),
        id=lambda other: f"request-{other}",
        drifted=lambda other: other > 0.9,
    )
    assert shape_of(documents).kind == "probability"
    twice = [
        in_json(json.dumps({"score": score, "no": 1 - score, "again": score}))
        for score in np.random.default_rng(9).random(50).tolist()
    ]
    assert shape_of(twice).kind == "probability"
    seldom = [*beside(40), *beside(30, risk=lambda other: other)]
    assert shape_of(seldom).kind == "probability"


def test_long_plain_text_is_text() -> None:
    sentences = [f"Sentence number {index}, which is unlike any other one." for index in range(99)]
    assert shape_of(list(sentences)).kind == "text"


def test_base64_of_anything_compares_with_the_thing_itself() -> None:
    texts = ["0.25\n", "0.75"]
    documents = ['{"predictions": [{"score": 0.5}]}', '{"predictions": [{"score": 0.25}]}']
    assert compare([*texts], [in_base64(text) for text in texts]).codes == {"same": 2}
    mixed = compare([in_json(one) for one in documents], [in_base64(one) for one in documents])
    assert (mixed.kind, mixed.codes) == ("probability", {"same": 2})
    assert mixed.counts["mismatched_pairs"] == 0


def test_loose_base64_is_read() -> None:
    strict = in_base64("0.125")
    assert strict.data is not None
    loose = Output(strict.data.rstrip("="), "BASE64")
    assert compare([strict] * 3, [loose] * 3).counts["mismatched_pairs"] == 0


def test_numpy_arrays_read_as_numbers() -> None:
    single = np.array([[0.1], [0.75]], dtype=np.float32)
    compared = compare([in_npy(single)] * 2, [in_json("[[0.1], [0.75]]")] * 2)
    assert (compared.kind, compared.path) == ("probability", "[*][0]")
    assert compared.counts["shifted"] == 0
    flat, none = np.array([0.25, 0.125]), np.float64(0.25) * np.ones(())
    assert itself([in_npy(flat), in_npy(none)]).counts["predictions"] == 2 + 1


def npy_bytes(array: npt.NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (np.array([[1.5, 2.0], [3.0, 4.0]], order="F"), [[1.5, 2.0], [3.0, 4.0]]),
        (np.array([0.1, 0.7], dtype=np.float32), [0.1, 0.7]),
        (np.array([1, 0], dtype=">i4"), [1, 0]),
        (np.array([True, False]), [True, False]),
        (np.array(["churn", "stay"]), ["churn", "stay"]),
        (np.array([b"churn"]), ["churn"]),
        (np.empty((0, 3)), []),
    ],
)
def test_numpy_files_of_every_plain_type_read_as_their_lists(
    array: npt.NDArray[np.generic], values: list[object]
) -> None:
    text = decode_binary(base64.b64encode(npy_bytes(array)).decode())
    assert text is not None
    assert json.loads(text) == values


def test_a_numpy_file_cut_anywhere_or_with_a_byte_changed_never_fails() -> None:
    whole = npy_bytes(np.array([0.25, 0.5]))
    for cut in range(len(whole)):
        assert decode_binary(base64.b64encode(whole[:cut]).decode()) in {None, ""} or cut < 6
    rng = np.random.default_rng(13)
    for _ in range(2_000):
        damaged = bytearray(whole)
        damaged[rng.integers(6, 80)] = rng.integers(0, 256)
        decode_binary(base64.b64encode(bytes(damaged)).decode())
    for kind in (
        "<f8",
        "<f2",
        "|b1",
        "<b2",
        "<U4",
        "|S16",
        "<U0",
        "<m8",
        "|O",
        "<c16",
        "",
        "<U9999999",
    ):
        damaged = bytearray(whole.replace(b"'<f8'", repr(kind).encode().ljust(5)))
        damaged[-16:] = b"\xff" * 16
        decode_binary(base64.b64encode(bytes(damaged)).decode())


def test_a_pickle_in_a_numpy_file_never_runs() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("unpickled",))

    bomb = in_npy(np.array([Bomb()], dtype=object), allow_pickle=True)
    compared = compare(["0.5", "0.25", "0.75"], ["0.5", bomb, bomb])
    assert sum(compared.codes.values()) == 3
    assert compared.counts["changed_pairs"] == 2


def test_the_policy_names_kind_and_path() -> None:
    text = '{"result": {"inner": [{"risk": 3.5, "tag": "a"}]}}'
    unknown = shape_of([in_json(text)])
    assert unknown.kind == "json"
    assert "predictions.path" in unknown.notes[0].text
    named = shape_of([in_json(text)], path="result.inner[*].risk")
    assert (named.kind, named.shown_path) == ("regression", "result.inner[*].risk")
    label = itself([in_json(text)], path="result.inner[*].tag", kind="label")
    assert label.counts["labelled"] == 1


LINES = '{"score": 0.25}\n{"score": 0.5}'


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (LINES, "$.score"),
        pytest.param(LINES, "score", marks=pytest.mark.long),
        pytest.param(LINES, "[*].score", marks=pytest.mark.long),
        ('{"value": [0.5, 0.25]}', "value"),
    ],
)
def test_a_path_may_forget_the_list_around_the_rows(text: str, path: str) -> None:
    assert itself([in_json(text)], path=path).counts["predictions"] == 2


def test_a_column_of_csv_rows_is_found_or_named() -> None:
    rows = ["yes,0.93\nno,0.15", "yes,0.61"]
    assert shape_of(list(rows)).kind == "probability"
    assert itself(list(rows), path="[*][0]", kind="label").counts["labelled"] == 3


@pytest.mark.parametrize(
    "key",
    [
        '"',
        "[*]",
        *(
            pytest.param(key, marks=pytest.mark.long)
            for key in ("", "a.b", "*", "é", "x'y", "a\\b")
        ),
    ],
)
def test_any_single_key_is_followed_or_left_alone(key: str) -> None:
    text = in_json(json.dumps({key: [0.25, 0.5]}))
    compared = compare([text] * 3, [text, text, in_json("{}")])
    assert sum(compared.codes.values()) == 3
    assert compared.counts["changed_pairs"] == 1


def test_a_bad_path_is_a_policy_error() -> None:
    with pytest.raises(PolicyError, match=r"predictions\.path"):
        shape_of(["0.5"], path="a b[")


def test_paths_survive_being_written_and_read() -> None:
    for text in ("", "predictions[*].score", "[*][2]", 'a["odd key"].b', "choices[*].message"):
        assert show_path(parse_path(text)) == text
    assert json_path(parse_path('"x y"')) == '$[*]."x y"'
    assert follow({"a": [{"b": 1}, {"c": 2}, 3]}, parse_path("a[*].b")) == [1]


def test_nothing_to_sample_is_no_kind() -> None:
    assert detect([], Predictions()).kind == "json"
    empty = compare([], [])
    assert empty.counts["pairs"] == 0
    assert empty.codes == {}
