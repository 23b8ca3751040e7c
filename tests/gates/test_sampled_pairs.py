"""Where a part is sampled: what may be asked of the records that have a partner, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from analyzer.endpoint import read_endpoints
from analyzer.gates.missing import check_missing_pairs
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import GateOutcome, Ledger, Pairing
from tests.endpoint_files import write_endpoint
from tests.metrics.prediction_facts import START, facts_of

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.metrics.metric import Facts
    from analyzer.model import Gate


def sampled(
    missing: list[int],
    *,
    pairing: Pairing | None = None,
    endpoint: EndpointFacts | None = None,
) -> Facts:
    """10,000 pairs in two hours, half of them at a low score and half at a high one."""
    pairs = 2_500
    cells = {"hour": [0, 0, 1, 1], "bucket": [-9, 9, -9, 9]}
    table = pa.table({**cells, "missing": missing, "present": [pairs] * 4})
    found = pairing or Pairing(by_inference_id=4 * pairs, distinct_inputs=4 * pairs)
    facts = facts_of(
        ledger=Ledger(pairs=4 * pairs, unpaired_production=sum(missing)),
        pairing=found,
        endpoint=endpoint,
        records=(4 * pairs + sum(missing), 8 * pairs),
    )
    assert facts.captures is not None
    tables = {**facts.captures.tables, "missing_by_score": table, "missing_by_bytes": table}
    return replace(facts, captures=replace(facts.captures, tables=tables))


def gate(facts: Facts) -> Gate:
    return check_missing_pairs(facts, {})


def test_a_loss_too_small_to_matter_does_not_close_however_certain_it_is() -> None:
    small = sampled([2_500, 2_500 + 90, 2_500, 2_500])
    assert gate(small).outcome is GateOutcome.PASS
    million = facts_times(small, 100)
    found = gate(million)
    assert "depends on production's score" in found.text
    assert found.outcome is GateOutcome.PASS
    assert found.value is not None
    assert 0.002 < found.value < 0.003
    assert gate(facts_times(sampled([2_500, 3_000, 2_500, 2_500]), 100)).closed


def facts_times(facts: Facts, factor: int) -> Facts:
    """The same shares among so many times as many records."""
    assert facts.captures is not None
    tables = dict(facts.captures.tables)
    for name in ("missing_by_score", "missing_by_bytes"):
        columns = tables[name].to_pydict()
        for group in ("missing", "present"):
            columns[group] = [factor * count for count in columns[group]]
        tables[name] = pa.table(columns)
    pairs = factor * facts.captures.ledger.pairs
    captures = replace(
        facts.captures,
        tables=tables,
        ledger=Ledger(pairs=pairs, unpaired_production=pairs),
        pairing=Pairing(by_inference_id=pairs, distinct_inputs=pairs),
    )
    return replace(facts, captures=captures)


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        (None, False),
        (EndpointFacts(shadow_percentage=100, capture_percentage=50), True),
        (EndpointFacts(capture_percentage=50), False),
    ],
)
def test_the_hour_is_asked_only_where_no_percentage_can_have_changed(
    endpoint: EndpointFacts | None, *, asked: bool
) -> None:
    facts = sampled([2_500, 2_500, 4_000, 4_000], endpoint=endpoint)
    assert gate(facts).closed == asked
    assert ("depends on the hour" in gate(facts).text) == asked


@pytest.mark.parametrize(("minutes", "asked"), [(-60, True), (60, False)])
def test_the_hour_is_asked_only_where_two_exports_tell_of_one_configuration(
    tmp_path: Path, minutes: int, *, asked: bool
) -> None:
    changed = START + timedelta(minutes=minutes)
    paths = [
        write_endpoint(tmp_path / "a", "churn-6", START - timedelta(days=1)),
        write_endpoint(tmp_path / "b", "churn-7", changed),
    ]
    endpoint, _ = read_endpoints(paths, None)
    assert endpoint is not None
    assert (endpoint.shadow_percentage, endpoint.capture_percentage) == (100, 50)
    found = gate(sampled([2_500, 2_500, 4_000, 4_000], endpoint=endpoint))
    assert ("depends on the hour" in found.text) == asked


@pytest.mark.parametrize(
    ("pairing", "asked"),
    [
        (Pairing(by_payload=10_000, distinct_inputs=10_000), True),
        (Pairing(by_payload=10_000, distinct_inputs=9_900), False),
        (Pairing(by_inference_id=10_000, distinct_inputs=300), True),
        (Pairing(by_inference_id=10_000, distinct_inputs=300, repeated_ids=60), False),
        (Pairing(by_inference_id=9_900, by_payload=100, distinct_inputs=9_000), False),
    ],
)
def test_requests_with_several_chances_of_a_partner_are_not_asked(
    pairing: Pairing, *, asked: bool
) -> None:
    found = gate(sampled([2_500, 4_000, 2_500, 4_000], pairing=pairing))
    assert found.closed == asked
    assert (found.outcome is GateOutcome.NOT_MEASURED) == (not asked)


def test_answers_that_never_differ_tell_nothing() -> None:
    facts = sampled([2_500, 4_000, 2_500, 4_000])
    assert facts.captures is not None
    table = pa.table({"hour": [0, 1], "bucket": [4, 4], "missing": [50, 900], "present": [900, 50]})
    tables = {**facts.captures.tables, "missing_by_score": table, "missing_by_bytes": table}
    same = replace(facts, captures=replace(facts.captures, tables=tables))
    assert gate(same).outcome is GateOutcome.NOT_MEASURED


def test_labels_beyond_the_commonest_are_asked_together() -> None:
    facts = sampled([2_500, 2_500, 2_500, 2_500])
    assert facts.captures is not None
    names = [f"class {n:03}" for n in range(400)]
    even = [20] * 400
    for missing, closed in ((even, False), ([40 if n < 40 else 20 for n in range(400)], True)):
        table = pa.table({"hour": [0] * 400, "label": names, "missing": missing, "present": even})
        tables = {**facts.captures.tables, "missing_by_label": table}
        asked = replace(facts, captures=replace(facts.captures, tables=tables))
        assert gate(asked).closed == closed
