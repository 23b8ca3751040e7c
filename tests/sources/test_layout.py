from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from analyzer.errors import UsageError
from analyzer.sources.layout import (
    Place,
    choose_endpoint,
    choose_roles,
    hyperpod,
    is_metric_export,
    outside_window,
    place,
)
from analyzer.sources.objects import SourceObject

HOUR = datetime(2021, 2, 5, 4, tzinfo=UTC)
FILE = "2021/02/05/04/07-21-267-ca5fa9e7-8266-486f-9524-5f4da3e72739.jsonl"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (f"churn/AllTraffic/{FILE}", Place("churn", "churn", "AllTraffic", HOUR)),
        (f"a/b/churn/AllTraffic/{FILE}", Place("a/b/churn", "churn", "AllTraffic", HOUR)),
        (f"a//churn//AllTraffic/{FILE}", Place("a/churn", "churn", "AllTraffic", HOUR)),
        (f"/churn/AllTraffic/{FILE}", Place("churn", "churn", "AllTraffic", HOUR)),
        (f"AllTraffic/{FILE}", Place("", None, "AllTraffic", HOUR)),
        (FILE, Place("", None, None, HOUR)),
        ("churn/AllTraffic/2021/02/05/x.jsonl", None),
        ("churn/AllTraffic/2021/02/30/04/x.jsonl", None),
        ("churn/AllTraffic/2021/02/05/24/x.jsonl", None),
        ("churn/AllTraffic/2021/2/5/4/x.jsonl", None),
        ("churn/AllTraffic/2021/02/05/04/part/x.jsonl", None),
        ("churn/AllTraffic/\u0662\u0660\u0662\u0661/02/05/04/x.jsonl", None),
        ("x.jsonl", None),
        ("", None),
    ],
)
def test_a_key_tells_endpoint_variant_and_hour(key: str, expected: Place | None) -> None:
    assert place(key) == expected


def test_pruning_keeps_one_hour_on_both_sides() -> None:
    since, until = HOUR, HOUR + timedelta(hours=2)
    kept = [h for h in range(-4, 6) if not outside_window(HOUR + timedelta(hours=h), since, until)]
    assert kept == [-1, 0, 1, 2]


def test_pruning_follows_minutes_not_only_hours() -> None:
    since = until = HOUR + timedelta(minutes=30)
    kept = [h for h in range(-4, 6) if not outside_window(HOUR + timedelta(hours=h), since, until)]
    assert kept == [-1, 0, 1]


def test_an_object_without_an_hour_is_never_pruned() -> None:
    assert not outside_window(None, HOUR, HOUR)


@pytest.mark.parametrize(
    ("variants", "flags", "described", "expected"),
    [
        (["AllTraffic", "Shadow-01"], (None, None), (None, None), ("AllTraffic", "Shadow-01")),
        (["MySHADOW", "zebra"], (None, None), (None, None), ("zebra", "MySHADOW")),
        (["a", "b"], ("b", None), (None, None), ("b", "a")),
        (["a", "b"], (None, "a"), (None, None), ("b", "a")),
        (["a", "b"], (None, None), ("b", "a"), ("b", "a")),
        (["a", "b"], (None, None), ("b", None), ("b", "a")),
        (["a", "b", "c"], ("c", "a"), (None, None), ("c", "a")),
        (["a", "b", "c"], (None, None), ("c", "a"), ("c", "a")),
        (["a", "b", "c"], ("c", None), ("b", "a"), ("c", "a")),
        (["a", "shadow"], ("shadow", "a"), (None, None), ("shadow", "a")),
        (["a"], ("a", "a"), (None, None), ("a", "a")),
        (["a", "b"], ("a", "a"), (None, None), ("a", "a")),
    ],
)
def test_roles_come_from_flags_then_endpoint_json_then_the_word_shadow(
    variants: list[str],
    flags: tuple[str | None, str | None],
    described: tuple[str | None, str | None],
    expected: tuple[str, str],
) -> None:
    chosen = choose_roles(
        variants,
        {"production": flags[0], "shadow": flags[1]},
        {"production": described[0], "shadow": described[1]},
        "SOURCE",
    )
    assert (chosen["production"], chosen["shadow"]) == expected


@pytest.mark.parametrize(
    ("variants", "flags", "words"),
    [
        (["a", "b"], {}, ("a, b", "--production", "--shadow")),
        (["shadow-1", "shadow-2"], {}, ("shadow-1, shadow-2", "--shadow")),
        (["a", "shadow", "z"], {}, ("3 variants", "a, shadow, z")),
        (["a", "shadow", "z"], {"shadow": "z"}, ("3 variants",)),
        (["AllTraffic"], {}, ("one variant only", "AllTraffic")),
        (["a", "b"], {"shadow": "c"}, ("--shadow 'c'", "found: a, b")),
    ],
)
def test_unsettled_roles_are_an_error_that_lists_what_was_found(
    variants: list[str], flags: dict[str, str], words: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError) as error:
        choose_roles(
            variants,
            {"production": flags.get("production"), "shadow": flags.get("shadow")},
            {},
            "SOURCE",
        )
    assert all(word in str(error.value) for word in words)


def test_a_wrong_name_in_endpoint_json_is_told_as_such() -> None:
    with pytest.raises(UsageError, match=r"endpoint\.json's shadow variant 'c'"):
        choose_roles(["a", "b"], {}, {"shadow": "c"}, "SOURCE")


def places(*paths: str) -> list[Place]:
    found = [place(f"{path}/v/{FILE}") for path in paths]
    return [one for one in found if one is not None]


def test_one_endpoint_is_chosen_among_several_only_by_name() -> None:
    several = places("p/a", "p/b")
    assert choose_endpoint(several, "b", "SOURCE") == "p/b"
    with pytest.raises(UsageError, match=r"2 endpoints: p/a, p/b; .*--endpoint"):
        choose_endpoint(several, None, "SOURCE")
    with pytest.raises(UsageError, match=r"no captures of endpoint 'c'; found: p/a, p/b"):
        choose_endpoint(several, "c", "SOURCE")


def test_two_endpoints_of_one_name_are_two_endpoints() -> None:
    several = places("old/a", "new/a")
    with pytest.raises(UsageError, match="new/a, old/a"):
        choose_endpoint(several, "a", "SOURCE")
    assert choose_endpoint(several, "new/a", "SOURCE") == "new/a"


def test_a_folder_that_hides_its_endpoint_takes_the_name_given() -> None:
    assert choose_endpoint(places(""), "churn", "SOURCE") == ""


@pytest.mark.parametrize(
    ("key", "named", "expected"),
    [
        ("4f2c/alb/AWSLogs/1/x.log.gz", set(), "hyperpod-alb"),
        ("4f2c/pod/x.jsonl", set(), "hyperpod-pod"),
        (f"4f2c/pod/{FILE}", set(), "hyperpod-pod"),
        (f"4f2c/pod/{FILE}", {"pod"}, None),
        (f"4f2c9a1b/pod/replica-0/{FILE}", set(), "hyperpod-pod"),
        (f"4f2c9a1b/sme/churn/AllTraffic/{FILE}", set(), None),
        (f"pod/churn/AllTraffic/{FILE}", set(), None),
        (f"churn/AllTraffic/{FILE}", set(), None),
    ],
)
def test_hyperpod_folders_are_told_from_variants(
    key: str, named: set[str | None], expected: str | None
) -> None:
    assert hyperpod(key, f"s3://bucket/{key}", named) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("metrics/rows.jsonl", True),
        ("metric_rows.jsonl.gz", True),
        ("CloudWatch.jsonl", True),
        ("captures.jsonl", False),
    ],
)
def test_metric_exports_beside_captures_are_known_by_name(key: str, *, expected: bool) -> None:
    assert is_metric_export(key) is expected


@pytest.mark.parametrize(
    ("written", "hour", "expected"),
    [
        (timedelta(minutes=1), timedelta(minutes=30), True),
        (timedelta(minutes=1), timedelta(minutes=119), True),  # of a file that began late in it
        (timedelta(minutes=1), timedelta(hours=2), False),  # copied, or unpacked from a package
        (timedelta(minutes=5), timedelta(minutes=30), False),
        (timedelta(minutes=1), None, True),  # a flat layout says nothing of its requests' hour
        (None, timedelta(minutes=30), False),
    ],
)
def test_only_what_was_captured_lately_may_have_company_on_its_way(
    written: timedelta | None, hour: timedelta | None, *, expected: bool
) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    item = SourceObject(
        "key.jsonl",
        1,
        "shadow",
        None if hour is None else now - hour,
        None,
        None if written is None else now - written,
    )
    assert item.may_have_company(now) is expected
