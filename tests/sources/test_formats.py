"""What is recognised and not read is named: skipped under its own code, and said in words."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import pytest

from analyzer.errors import InputError
from analyzer.report.explain import explanation
from analyzer.sources import discover, formats, open_chunks

if TYPE_CHECKING:
    from tests.sources.conftest import Storage

HOUR = "2026/10/05/13"
RECORD = b'{"captureData":{}}\n'
HASH = "4f2c9a1be07d"
UUID = "1f1d57b1-2e6f-488c-8c30-db4e6d757861"
STRANGERS = {
    f"{HASH}/alb/AWSLogs/1/elasticloadbalancing/r/2026/10/05/x.log.gz": "hyperpod-alb",
    f"{HASH}/pod/replica-0/{HOUR}/x.jsonl": "hyperpod-pod",
    f"part-00000-{UUID}.snappy.parquet": "parquet",
    f"reports/churn/{HOUR}/constraint_violations.json": "model-monitor",
    f"reports/churn/{HOUR}/statistics.json": "model-monitor",
    f"logs/{UUID}/variant/000000.gz": "cloudwatch-logs",
    "logs/aws-logs-write-test": "cloudwatch-logs",
    f"async/{UUID}.out": "async-output",
    f"async/{UUID}-error.out": "async-output",
    "transform/dummy_0.csv.out": "batch-output",
}


def test_the_examples_in_its_docstrings_hold() -> None:
    assert doctest.testmod(formats).failed == 0


@pytest.mark.parametrize(("key", "code"), STRANGERS.items())
def test_every_recognised_format_is_skipped_under_its_own_code(
    folder: Storage, key: str, code: str
) -> None:
    both = [f"churn/AllTraffic/{HOUR}/a.jsonl", f"churn/Shadow-01/{HOUR}/a.jsonl"]
    folder.put(dict.fromkeys([*both, key], RECORD))
    listing = discover(folder.root)
    assert listing.skipped == {code: 1}
    assert [note.code for note in listing.notes] == [code]
    what, advice = formats.UNSUPPORTED[code]
    assert what[1:] in listing.notes[0].text
    assert advice in listing.notes[0].text
    assert what[1:] in explanation(code)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (f"churn/AllTraffic/{HOUR}/b.jsonl.zst", "not-jsonl"),
        ("churn/AllTraffic/stray.jsonl", "outside-layout"),
    ],
)
def test_what_may_be_captures_and_is_not_read_is_said(folder: Storage, key: str, code: str) -> None:
    both = [f"churn/AllTraffic/{HOUR}/a.jsonl", f"churn/Shadow-01/{HOUR}/a.jsonl"]
    folder.put(dict.fromkeys([*both, key], RECORD))
    listing = discover(folder.root)
    assert listing.skipped == {code: 1}
    (note,) = listing.notes
    assert note.code == code
    assert "are not read (1 object): where they are captures, " in note.text


@pytest.mark.parametrize(("key", "code"), STRANGERS.items())
def test_where_nothing_else_is_the_error_names_the_format_and_what_to_give(
    folder: Storage, key: str, code: str
) -> None:
    folder.put({f"a/{key}": RECORD, f"b/{key}": RECORD})
    with pytest.raises(InputError) as below_source:
        discover(folder.root)
    with pytest.raises(InputError) as each_path:
        discover(None, production=folder.at("a"), shadow=folder.at("b"))
    what, advice = formats.UNSUPPORTED[code]
    for error in (below_source, each_path):
        assert all(text in str(error.value) for text in (code, what[1:], advice))


def test_hyperpods_endpoint_tier_is_read_beside_its_other_tiers(storage: Storage) -> None:
    for job in ("a", "b"):
        storage.put(
            {
                f"{job}/{HASH}/sme/churn/AllTraffic/{HOUR}/x.jsonl": RECORD,
                f"{job}/{HASH}/alb/x.log.gz": RECORD,
                f"{job}/{HASH}/pod/x.jsonl": RECORD,
            }
        )
    listing = discover(
        None,
        production=storage.at(f"a/{HASH}"),
        shadow=storage.at(f"b/{HASH}"),
        aws=storage.aws,
    )
    assert [item.key.rpartition("/")[2] for item in listing.objects] == ["x.jsonl", "x.jsonl"]
    assert all("sme/" in item.key for item in listing.objects)
    assert listing.skipped == {"hyperpod-alb": 2, "hyperpod-pod": 2}


def test_a_pod_folder_named_itself_is_refused_only_below_hyperpods_hash(folder: Storage) -> None:
    folder.put({f"{HASH}/pod/x.jsonl": RECORD, "mine/pod/x.jsonl": RECORD})
    with pytest.raises(InputError, match="whose format AWS does not document"):
        discover(None, production=folder.at(f"{HASH}/pod"), shadow=folder.at("mine/pod"))
    listing = discover(None, production=folder.at("mine/pod"), shadow=folder.at("mine/pod"))
    assert len(listing.objects) == 2


def test_parquet_under_another_name_fails_under_its_own_code(folder: Storage) -> None:
    folder.put({"a/x.jsonl": b"PAR1\x15\x04\n\x00PAR1", "b/x.jsonl": RECORD})
    listing = discover(None, production=folder.at("a"), shadow=folder.at("b"))
    chunks = list(open_chunks(listing))
    failures = [chunk.failure.code for chunk in chunks if chunk.failure is not None]
    assert failures == ["parquet"]
    assert b"".join(chunk.data for chunk in chunks) == RECORD


def test_the_sidecar_of_a_replay_is_no_stranger(folder: Storage) -> None:
    keys = [f"churn/{variant}/{HOUR}/a.jsonl" for variant in ("v1", "v2-shadow")]
    folder.put(dict.fromkeys([*keys, "churn/v2-shadow/replay.parquet"], RECORD))
    listing = discover(folder.root)
    assert [(item.role, item.key) for item in listing.sidecars] == [
        ("shadow", "churn/v2-shadow/replay.parquet")
    ]
    assert (listing.listed, listing.skipped, listing.notes) == (3, {}, ())
