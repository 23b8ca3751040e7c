"""Small shadow tests of any kind, made by hypothesis: what is captured, and how it is judged.

In: everything that the two engines could come to handle differently: ids that are shared, repeated
or missing, copies, records without a partner, answers of every kind, broken lines and objects,
windows, slices. Out: what a verdict should say of any of it.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from tests.captures.capture_builders import START, line
from tests.captures.test_capture_oracle import ODD_LINES
from tests.faults.shadow_tests import PRODUCTION, SHADOW, object_path, put_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    Answer = tuple[str | None, str]
    """What one record holds as its output's data, and its encoding."""

SIDES = (PRODUCTION, SHADOW)
NAMES = ("a.jsonl", "b.jsonl.gz", "c.jsonl", "d.jsonl", "e.jsonl")
WORDS = ("yes", "no", "perhaps", "ja", "nein", "não", "はい")


@dataclass(frozen=True)
class Captured:
    """One shadow test.

    Attributes:
        kind: of the answers.
        requests: how many; but for the first and the last, either variant may lack any of them.
        bodies: by side, hour and name of the object.
        overrides: of the policy, as `--set` takes them.
        since, until: as the flags take them.
    """

    kind: str
    requests: int
    bodies: Mapping[tuple[str, int, str], bytes] = field(repr=False)
    overrides: tuple[str, ...]
    since: str | None
    until: str | None

    def put(self, folder: Path) -> None:
        """Write the objects."""
        for (side, hour, name), body in self.bodies.items():
            put_object(object_path(folder, side, hour).with_name(name), body)


def _binary(rng: random.Random, chance: float) -> Answer:
    return ("1" if rng.random() < chance else "0") + "\n", "CSV"


def _score(rng: random.Random, chance: float) -> Answer:
    return f"{chance:.{rng.choice([1, 4, 17])}g}\n", "CSV"


def _scores(rng: random.Random, chance: float) -> Answer:
    rows = rng.choice([1, 2, 2, 2, 5])
    return "\n".join(f"{chance * rng.random():.6g}" for _ in range(rows)), "CSV"


def _quantity(rng: random.Random, chance: float) -> Answer:
    return repr((chance - 0.5) * rng.choice([1, 7, 1e3, 1e3, 1e12, 1e-9])), "CSV"


def _label(rng: random.Random, chance: float) -> Answer:
    return WORDS[int(chance * len(WORDS))] + rng.choice(["", "", "\n"]), "CSV"


def _classes(rng: random.Random, chance: float) -> Answer:
    shares = [chance, (1 - chance) / 4, 3 * (1 - chance) / 4]
    rng.shuffle(shares)
    return ",".join(f"{share:.9f}" for share in shares), "CSV"


def _vector(rng: random.Random, chance: float) -> Answer:
    length = rng.choice([3, 3, 3, 4])
    return json.dumps([[chance - 0.5, *(rng.random() for _ in range(length - 1))]]), "JSON"


def _json_scores(rng: random.Random, chance: float) -> Answer:
    rows = rng.choice([1, 1, 3])
    told = [{"score": chance / (n + 1), "predicted_label": int(chance > 0.5)} for n in range(rows)]
    return json.dumps({"predictions": told}), "JSON"


def _document(rng: random.Random, chance: float) -> Answer:
    told: dict[str, object] = {"a": {"b": [round(chance, 2), WORDS[int(7 * chance)]]}}
    for key in ("kind", "reason", f"customer {int(9 * chance)}"):
        if rng.random() < 0.6:
            told[key] = rng.choice([None, chance, True, [], WORDS[0]])
    return json.dumps(told), "JSON"


def _text(rng: random.Random, chance: float) -> Answer:
    words = [WORDS[int(7 * chance)], *(rng.choice(WORDS) for _ in range(rng.choice([0, 5, 80])))]
    return json.dumps({"generated_text": " ".join(words)}), "JSON"


def _array(rng: random.Random, chance: float) -> Answer:
    file = io.BytesIO()
    kind = rng.choice([np.float64, np.float32])
    np.save(file, np.array([chance] * rng.choice([1, 2]), dtype=kind), allow_pickle=False)
    return base64.b64encode(file.getvalue()).decode(), "BASE64"


def _odd(rng: random.Random, _chance: float) -> Answer:
    told: tuple[Answer, ...] = (
        (None, "CSV"),
        ("", "CSV"),
        ("nan", "CSV"),
        ("1e400\n-inf", "CSV"),
        ("{", "JSON"),
        ("null", "JSON"),
        ('{"error": "no model"}', "JSON"),
        ("AA==", "BASE64"),
        ("not base64", "BASE64"),
        ("\x00\ud7ff", "CSV"),
        ("0.5", "none such"),
    )
    return rng.choice(told)


KINDS: dict[str, tuple[Callable[[random.Random, float], Answer], tuple[str, ...]]] = {
    "binary": (_binary, ()),
    "score": (_score, ()),
    "tolerated score": (_score, ("predictions.label_at=0.25", "predictions.tolerance=0.125")),
    "batch": (_scores, ()),
    "quantity": (_quantity, ()),
    "infrastructure": (_quantity, ('predictions.kind="regression"', 'change="infrastructure"')),
    "label": (_label, ()),
    "classes": (_classes, ()),
    "vector": (_vector, ()),
    "JSON score": (_json_scores, ()),
    "JSON label": (_json_scores, ('predictions.path="predictions[*].predicted_label"',)),
    "document": (_document, ('predictions.kind="json"',)),
    "place in a document": (_document, ('predictions.path="a.b[0]"',)),
    "text": (_text, ()),
    "document as text": (_text, ('predictions.kind="text"',)),
    "array": (_array, ()),
    "nothing usable": (_odd, ()),
}
"""How a request of a given chance is answered, and what the policy says of such answers."""
PAIRING = (
    (),
    (),
    ("pairing.window_s=1",),
    ('pairing.keys=["payload"]', "pairing.window_s=600"),
    ('pairing.keys=["event_id", "inference_id"]',),
    ('pairing.keys=["payload", "inference_id", "event_id"]',),
)
SLICES = (
    (),
    ("slices={hour=true}",),
    ('slices={"input.1"="categories", content_type=true}',),
    ('slices={"input.2"="quantiles", "input.3"="quantiles"}',),
    ('slices={"input.tier.name"="categories", "input.tier.age"="quantiles", hour=true}',),
)
OTHERS = (
    (),
    (),
    ('redaction.payloads="shown"',),
    ('redaction.payloads="hashed"',),
    ("max_line_bytes=1024",),
)


def captures(kind: str, rng: random.Random, requests: int) -> Captured:
    """A shadow test of so many requests, a first and a last of which both variants answer."""
    answered, of_kind = KINDS[kind]
    overrides = (*of_kind, *rng.choice(PAIRING), *rng.choice(SLICES), *rng.choice(OTHERS))
    span_s = rng.choice([60, 7_200, 100_000])
    names = rng.choice([0, 1, 3, requests, requests])
    inputs = rng.choice([1, 5, 5, requests])
    shared_events, as_json = rng.random() < 0.5, rng.random() < 0.3
    lost, noise, odd = rng.choice([0, 0.1, 0.5]), rng.choice([0, 0.02, 1]), rng.choice([0, 0.1])
    objects = {side: rng.choice([1, 2, 5]) for side in SIDES}
    lines: dict[tuple[str, int, str], list[bytes]] = {}
    for n in range(requests):
        at_s, chance, known = rng.randrange(span_s), rng.random(), rng.random() < 0.9
        ends = n in {0, requests - 1}
        payload = None if rng.random() < 0.05 else _input(rng, inputs, as_json=as_json)
        name = f"request {rng.randrange(names)}" if names and known else None
        for side in SIDES:
            if not ends and rng.random() < lost:
                continue
            moved = min(max(chance + noise * (rng.random() - 0.5), 0.0), 0.999)
            say = _odd if rng.random() < odd else answered
            output, encoding = say(rng, chance if side == PRODUCTION else moved)
            event = f"{n}" if shared_events else f"{side} {n}"
            text = line(
                at_s + rng.choice([0, 0, 1, 90]) * (side == SHADOW and not ends),
                output=output,
                encoding=encoding,
                payload="ends" if ends else payload,
                inference_id=f"end {n}" if ends else name,
                event_id=rng.choice([event, event, event, "the same", None]),
            )
            place = side, min(at_s // 3600, 23), NAMES[rng.randrange(objects[side])]
            held = lines.setdefault(place, [])
            held += [text] * rng.choice([1, 1, 1, 1, 2])
            if rng.random() < odd:
                held.append(rng.choice(ODD_LINES))
    bodies = {place: _body(place[2], held) for place, held in lines.items()}
    if rng.random() < 0.2:
        bodies |= {(SHADOW, 0, "cut.jsonl.gz"): b"\x1f\x8b\x08\x00cut"}
        bodies |= {(PRODUCTION, 0, "empty.jsonl"): b""}
    since, until = rng.choice([(None, None), (None, None), (0, span_s), (span_s // 3, None)])
    return Captured(kind, requests, bodies, overrides, _moment(since), _moment(until))


def seeded(kind: str, seed: int, requests: int) -> Captured:
    """The same from a seed: hypothesis remembers every choice that it makes itself."""
    return captures(kind, random.Random(seed), requests)


def _body(name: str, lines: list[bytes]) -> bytes:
    body = b"".join(b"%s\n" % text for text in lines)
    return gzip.compress(body, 1) if name.endswith(".gz") else body


def _input(rng: random.Random, inputs: int, *, as_json: bool) -> str:
    number = rng.randrange(inputs)
    if as_json:
        tier = {"name": WORDS[number % 7], "age": number if number % 5 else None}
        return json.dumps({"tier": tier, "number": number})
    return f"{WORDS[number % 7]},{number},{(number * 37 % 101 - 50) / 8}"


def _moment(second: int | None) -> str | None:
    return None if second is None else (START + timedelta(seconds=second)).isoformat()


def any_captures(kinds: Sequence[str]) -> SearchStrategy[Captured]:
    """Shadow tests with answers of these kinds.

    Either of few requests, of which a failure shows the fewest that do, or of enough of them that
    parts hold what single ones do not, and samples leave something out.
    """
    kind = st.sampled_from(kinds)
    few = st.builds(captures, kind, st.randoms(use_true_random=False), st.integers(1, 25))
    many = st.sampled_from([100, 700, 5_000])
    return few | st.builds(seeded, kind, st.integers(0, 1 << 32), many)
