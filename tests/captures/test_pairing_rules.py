"""Which record is paired with which, rule by rule, and the traffic people really send."""

from __future__ import annotations

import base64
import json
import random

import pytest

from analyzer.policy import PairingRules
from tests.captures.capture_builders import PAYLOAD_ONLY, line, read, side, sides
from tests.examples import examples


def test_one_inference_id_on_each_side_pairs_whatever_the_times() -> None:
    reading = read(
        sides(
            [line(0, inference_id="shadow test, index 1", output="p", payload="1")],
            [line(90_000, inference_id="shadow test, index 1", output="s", payload="2")],
        )
    )
    assert reading.outputs == [("inference_id", "p", "s")]
    assert reading.pairs[0]["skew_s"] == 90_000.0


def test_a_repeated_inference_id_pairs_by_payload_and_time_within_the_id() -> None:
    reading = read(
        sides(
            [
                line(0, inference_id="7", output="p-early", payload="a", event_id="1"),
                line(50, inference_id="7", output="p-late", payload="a", event_id="2"),
                line(0, inference_id="7", output="p-other", payload="b", event_id="3"),
            ],
            [
                line(51, inference_id="7", output="s-late", payload="a", event_id="4"),
                line(0, inference_id="7", output="s-other", payload="c", event_id="5"),
            ],
        )
    )
    assert reading.outputs == [("inference_id", "p-late", "s-late")]
    assert reading.facts.pairing.repeated_ids == 1
    assert reading.facts.ledger.unpaired_production == 2
    assert reading.facts.ledger.unpaired_shadow == 1


def test_inputs_that_were_not_captured_count_as_equal_within_an_inference_id_only() -> None:
    production = [
        line(0, inference_id="7", output="p1", payload=None, event_id="1"),
        line(9, inference_id="7", output="p2", payload=None, event_id="2"),
        line(0, output="p3", payload=None, event_id="3"),
    ]
    shadow = [
        line(9, inference_id="7", output="s2", payload=None, event_id="4"),
        line(0, output="s3", payload=None, event_id="5"),
    ]
    reading = read(sides(production, shadow))
    assert reading.outputs == [("inference_id", "p2", "s2")]
    assert reading.facts.pairing.repeated_ids == 1


@pytest.mark.parametrize(("shared", "paired"), [(2, 2), (1, 0)])
def test_event_ids_are_a_key_only_when_half_of_the_shadows_occur_in_production(
    shared: int, paired: int
) -> None:
    production = [line(n, event_id=f"e{n}", payload=f"p{n}") for n in range(4)]
    shadow = [
        line(n, event_id=f"e{n}" if n < shared else f"other{n}", payload=f"s{n}") for n in range(4)
    ]
    reading = read(sides(production, shadow))
    assert reading.facts.pairing.by_event_id == paired
    assert reading.facts.pairing.event_id_overlap == shared / 4


def test_event_ids_never_pair_two_different_inference_ids() -> None:
    reading = read(
        sides([line(0, event_id="e", inference_id="a")], [line(0, event_id="e", inference_id="b")])
    )
    assert reading.pairs == []


def test_a_record_with_an_inference_id_is_not_paired_by_payload() -> None:
    production = [line(0, inference_id="a"), line(5, inference_id="b")]
    shadow = [line(0, inference_id="a"), line(5, output="no id")]
    reading = read(sides(production, shadow))
    assert [pair["inference_id"] for pair in reading.pairs] == ["a"]


def test_payloads_pair_when_only_one_side_carries_inference_ids() -> None:
    reading = read(sides([line(0, inference_id="a", output="p")], [line(1, output="s")]))
    assert reading.outputs == [("payload", "p", "s")]


def test_payload_alone_ignores_inference_ids_when_the_policy_says_so() -> None:
    chunks = sides([line(0, inference_id="a", output="p")], [line(1, inference_id="b", output="s")])
    assert read(chunks).pairs == []
    assert read(chunks, PAYLOAD_ONLY).outputs == [("payload", "p", "s")]


def test_payload_pairs_lie_within_the_window_either_way() -> None:
    late = (60, 61, -60, -61)
    production = [line(100, payload=f"{by}", output=f"{by}") for by in late]
    shadow = [line(100 + by, payload=f"{by}", output=f"{by}") for by in late]
    paired = read(sides(production, shadow)).outputs
    assert paired == [("payload", "-60", "-60"), ("payload", "60", "60")]


def test_of_two_equally_near_shadow_records_the_later_pairs() -> None:
    shadow = [line(9, output="before"), line(11, output="after")]
    assert read(sides([line(10, output="p")], shadow)).outputs == [("payload", "p", "after")]


def test_the_same_bytes_in_another_encoding_are_the_same_payload() -> None:
    encoded = base64.b64encode(b'{"a": 1}').decode()
    record = json.loads(line(0, output="s"))
    record["captureData"]["endpointInput"] = side(encoded, "BASE64", None)
    production = [line(0, output="p", payload='{"a": 1}')]
    assert read(sides(production, [json.dumps(record).encode()])).outputs == [("payload", "p", "s")]


def test_a_payload_that_is_no_base64_is_taken_as_its_text() -> None:
    records = [json.loads(line(0, output=output)) for output in ("p", "s")]
    for record in records:
        record["captureData"]["endpointInput"] = side("not base64!", "BASE64")
    production, shadow = ([json.dumps(record).encode()] for record in records)
    assert read(sides(production, shadow)).outputs == [("payload", "p", "s")]


def test_an_event_captured_twice_counts_as_a_duplicate_and_once_as_evidence() -> None:
    first = line(0, event_id="e", output="first")
    again = line(1, event_id="e", output="again")
    reading = read(sides([again, first], [line(0, output="s")]))
    assert reading.facts.ledger.duplicate == 1
    assert reading.outputs == [("payload", "first", "s")]


def test_334_rows_sent_ten_times_pair_every_sampled_shadow_record() -> None:
    rng = random.Random(5)
    sent = [(second, row) for second in range(10) for row in range(334)]
    production = [
        line(t, payload=f"{row},1", output=f"{row}", event_id=f"p{t}.{row}") for t, row in sent
    ]
    shadow = [
        line(t, payload=f"{row},1", output=f"{row}", event_id=f"s{t}.{row}")
        for t, row in sent
        if rng.random() < 0.5
    ]
    reading = read(sides(production, shadow))
    assert reading.facts.ledger.pairs == len(shadow)
    assert reading.facts.ledger.unpaired_shadow == 0
    assert all(pair["production_data"] == pair["shadow_data"] for pair in reading.pairs)
    assert all(pair["skew_s"] == 0 for pair in reading.pairs)


def test_one_payload_every_ten_seconds_for_two_days_never_drifts() -> None:
    rng = random.Random(6)
    production = [line(t, event_id=f"p{t}") for t in range(0, 172_800, 10)]
    shadow = [
        line(t + rng.choice([0, 1]), event_id=f"s{t}")
        for t in range(0, 172_800, 10)
        if rng.random() < 0.5
    ]
    reading = read(sides(production, shadow))
    assert reading.facts.ledger.pairs == len(shadow)
    assert {pair["skew_s"] for pair in reading.pairs} == {0.0, 1.0}


def test_one_payload_tens_of_thousands_of_times_is_no_cross_product() -> None:
    """Within one second each side: any join on the payload alone would be 4e8 rows, or 2.5e9."""
    times = examples(20_000, whole=50_000)
    production, shadow = (
        [text.replace(b"EVENT", b"%s%d" % (role, n)) for n in range(times)]
        for role, text in (
            (b"p", line(0, event_id="EVENT")),
            (b"s", line(1, event_id="EVENT")),
        )
    )
    reading = read(sides(production, shadow))
    assert reading.facts.pairing.by_payload == times
    facts = reading.facts.tables["pairing_facts"].to_pylist()[0]
    assert (facts["distinct_inputs"], facts["sum_m"], facts["sum_m2"]) == (1, times, times**2)


def test_ids_0_to_333_repeated_for_ever_pair_each_time_with_their_own_request() -> None:
    rounds = range(6)
    production, shadow = (
        [
            line(
                400 * turn + row + late,
                payload=f"row {row}",
                inference_id=f"{row}",
                event_id=f"{name}{turn}.{row}",
                output=f"{turn}.{row}",
            )
            for turn in rounds
            for row in range(334)
        ]
        for name, late in (("p", 0), ("s", 1))
    )
    reading = read(sides(production, shadow))
    assert reading.facts.pairing.by_inference_id == 6 * 334
    assert reading.facts.pairing.repeated_ids == 334
    assert all(pair["production_data"] == pair["shadow_data"] for pair in reading.pairs)


def test_the_order_of_keys_is_the_policys() -> None:
    production = [line(0, inference_id="a", payload="x", output="p")]
    shadow = [
        line(0, inference_id="a", payload="y", output="same id"),
        line(0, payload="x", output="same payload"),
    ]
    rules = PairingRules(keys=("payload",))
    assert read(sides(production, shadow)).outputs == [("inference_id", "p", "same id")]
    assert read(sides(production, shadow), rules).outputs == [("payload", "p", "same payload")]


def test_a_pair_goes_by_the_name_of_productions_event() -> None:
    event = "0b62cb4c-1d3c-4ae5-b7f0-6bf0d4d9c1aa"
    reading = read(sides([line(0, event_id=event)], [line(0, event_id="other")]))
    assert [str(pair["pair_id"]) for pair in reading.pairs] == [event]
