"""Listing by several requests at a time gives what one request after the other gives."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.errors import AccessError, InputError, UsageError
from analyzer.sources import AwsOptions, Listing, discover, listing, s3
from analyzer.sources.batch_transform import data_objects
from analyzer.sources.days import Days
from tests.examples import examples
from tests.faults.fault_server import ACCESS_DENIED, EXPIRED_TOKEN, SLOW_DOWN
from tests.sources.conftest import REGION, Storage, client_of

if TYPE_CHECKING:
    from tests.faults.fault_server import FaultServer

RECORD = b'{"captureData":{}}\n'
DAY = datetime(2026, 10, 5, tzinfo=UTC)


def hours(variant: str, start: datetime, count: int, objects: int = 3) -> dict[str, bytes]:
    """So many objects in each of so many hours in a row."""
    return {
        f"{variant}/{start + timedelta(hours=hour):%Y/%m/%d/%H}/{number:03}.jsonl": RECORD
        for hour in range(count)
        for number in range(objects)
    }


def two_variants(prefix: str, start: datetime, count: int, objects: int = 3) -> dict[str, bytes]:
    return {
        **hours(f"{prefix}churn/AllTraffic", start, count, objects),
        **hours(f"{prefix}churn/Shadow-01", start, count, objects),
    }


def small_pages(server: FaultServer, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Make every folder of more than `size` objects one that has to be split."""
    server.page_size = size
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)


def keys(url: str, aws: AwsOptions, days: Days | None = None) -> list[str]:
    found = [entry.key for entry in s3.entries(url, aws, days or Days())]
    assert not [key for key, times in Counter(found).items() if times > 1]
    return sorted(found)


ODD = ["", "a", "2026", "10", "05", "13", "99", "x.jsonl", "_", ".h.jsonl", "\u00e4 +&"]
KEYS = st.lists(st.sampled_from(ODD), min_size=1, max_size=7).map("/".join).filter(bool)


@settings(
    max_examples=examples(15, whole=60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    found=st.sets(KEYS, max_size=40),
    page_size=st.integers(1, 7),
    before_split=st.integers(1, 3),
    walked=st.sampled_from([0, 2, 1000]),
    shuffled=st.booleans(),
)
def test_whatever_the_keys_each_is_listed_once(
    faults: FaultServer,
    faulty: AwsOptions,
    *,
    found: set[str],
    page_size: int,
    before_split: int,
    walked: int,
    shuffled: bool,
) -> None:
    faults.reset()
    faults.put(dict.fromkeys(found, RECORD))
    faults.page_size, faults.shuffled = page_size, shuffled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "PAGES_BEFORE_SPLIT", before_split)
        patch.setattr(listing, "MOST_FOLDERS", walked)
        assert keys("s3://any", faulty) == sorted(found)


WINDOW = st.integers(-3, 60).map(lambda hour: DAY + timedelta(hours=hour))


@settings(
    max_examples=examples(8, whole=40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    offsets=st.sets(st.integers(0, 72), min_size=1, max_size=12),
    strays=st.sets(KEYS, max_size=8),
    since=st.none() | WINDOW,
    until=st.none() | WINDOW,
    page_size=st.sampled_from([1, 3, 1000]),
)
def test_a_day_is_left_out_by_its_keys_however_they_were_listed(
    faults: FaultServer,
    faulty: AwsOptions,
    *,
    offsets: set[int],
    strays: set[str],
    since: datetime | None,
    until: datetime | None,
    page_size: int,
) -> None:
    faults.reset()
    captured = {
        f"p/{variant}/{DAY + timedelta(hours=hour):%Y/%m/%d/%H}/a.jsonl"
        for hour in offsets
        for variant in ("AllTraffic", "Shadow-01")
    }
    below = {f"p/AllTraffic/{stray}" for stray in strays}
    faults.put(dict.fromkeys(captured | below, RECORD))
    faults.page_size = page_size
    days = Days(since, until)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)
        got = {entry.key for entry in days.kept(s3.entries("s3://any", faulty, days))}
    day = timedelta(days=1)
    for key in captured:
        start = datetime.strptime(key[-21:-11], "%Y/%m/%d").replace(tzinfo=UTC)
        matters = (since is None or start + day + timedelta(hours=1) > since) and (
            until is None or start - timedelta(hours=1) < until
        )
        assert (key in got) == matters
    flat = Days(since, until)
    faults.page_size = 1000
    assert got == {entry.key for entry in flat.kept(s3.entries("s3://any", faulty, flat))}
    assert days.left_out == flat.left_out


def test_a_small_prefix_takes_one_request(faults: FaultServer, faulty: AwsOptions) -> None:
    faults.put(two_variants("p/", DAY, 24))
    assert len(keys("s3://any/p", faulty)) == 144
    assert [one.key for one in faults.seen("list")] == ["p/"]


def test_a_large_day_is_listed_by_hour(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 4))
    small_pages(faults, monkeypatch, 5)
    assert len(keys("s3://any/p", faulty)) == 24
    asked = [one.key for one in faults.seen("list")]
    assert {f"p/churn/Shadow-01/2026/10/05/0{hour}/" for hour in range(4)} <= set(asked)


def test_a_day_of_few_pages_is_not_split(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 30))
    faults.page_size = 40
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 2)
    assert len(keys("s3://any/p", faulty)) == 180
    asked = [one.key for one in faults.seen("list")]
    assert asked.count("p/churn/AllTraffic/2026/10/05/") == 2
    assert not [key for key in asked if key.count("/") > 6]


def test_several_folders_are_asked_for_at_the_same_time(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 24 * 8, objects=1))
    small_pages(faults, monkeypatch, 30)
    faults.hold("list", "/2026/10/0", 8)
    assert len(keys("s3://any/p", faulty)) == 2 * 24 * 8
    assert faults.most_in_flight["list"] >= 8


def test_a_wide_flat_folder_is_listed_page_by_page(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put({f"p/{number:03}/x.jsonl": RECORD for number in range(100)})
    small_pages(faults, monkeypatch, 20)
    assert len(keys("s3://any/p", faulty)) == 100
    # The page it began with, one to find how wide it is, and the five it has.
    assert len(faults.seen("list")) == 7


def test_countless_small_folders_do_not_cost_a_request_each(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put({f"p/{n % 10}/{n // 10 % 10}/{n // 100}/x.jsonl": RECORD for n in range(1000)})
    small_pages(faults, monkeypatch, 100)
    monkeypatch.setattr(listing, "MOST_FOLDERS", 20)
    assert len(keys("s3://any/p", faulty)) == 1000
    assert len(faults.seen("list")) < 50


def test_a_window_of_a_day_does_not_list_a_year(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = {
        key: RECORD
        for day in range(0, 365, 5)
        for key in two_variants("p/", DAY - timedelta(days=day), 24, objects=1)
    }
    faults.put(year)
    small_pages(faults, monkeypatch, 30)
    found = discover(
        "s3://any/p", aws=faulty, since=DAY + timedelta(hours=6), until=DAY + timedelta(hours=8)
    )
    assert {item.hour for item in found.objects} == {DAY + timedelta(hours=h) for h in range(5, 9)}
    assert found.skipped == {"outside-window": 2 * 20}
    assert found.listed == 2 * 24
    assert len(faults.seen("list")) < 20


@pytest.fixture(scope="module", params=["folder", "moto_url", "localbucket_url"])
def three_days(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """An object an hour and variant, on each storage."""
    if request.param == "folder":
        storage = Storage(str(tmp_path_factory.mktemp("days")), AwsOptions())
    else:
        url = request.getfixturevalue(request.param)
        client = client_of(url)
        client.create_bucket(Bucket="three-days")
        storage = Storage("s3://three-days", AwsOptions(endpoint_url=url, region=REGION), client)
    storage.put(two_variants("", DAY, 72, objects=1))
    return storage


def windowed(
    storage: Storage, since: datetime | None = None, until: datetime | None = None
) -> Listing:
    return discover(storage.root, aws=storage.aws, since=since, until=until)


def test_days_outside_the_window_are_not_listed_on_any_storage(three_days: Storage) -> None:
    found = windowed(
        three_days, since=DAY + timedelta(days=1, hours=2), until=DAY + timedelta(hours=47)
    )
    assert len(found.objects) == 2 * 23
    assert found.skipped == {"outside-window": 2}
    assert found.listed == 2 * 24


def test_an_hour_before_midnight_may_hold_what_comes_after(three_days: Storage) -> None:
    found = windowed(three_days, since=DAY + timedelta(days=1), until=DAY + timedelta(days=2))
    kept = sorted({item.hour for item in found.objects if item.hour})
    assert (kept[0], kept[-1]) == (DAY + timedelta(hours=23), DAY + timedelta(hours=48))
    # The day before and the day after each have one hour that can matter, so they are listed.
    assert found.listed == 2 * 72


def test_a_date_above_the_endpoint_is_no_date_of_captures(storage: Storage) -> None:
    storage.put(two_variants("captures/2026/01/02/", DAY, 2))
    found = windowed(storage, since=DAY)
    assert found.endpoint == "churn"
    assert found.listed == 12


def test_variants_outside_the_window_still_count_as_variants(storage: Storage) -> None:
    storage.put({**two_variants("", DAY, 1), **hours("churn/Third", DAY - timedelta(days=9), 1)})
    with pytest.raises(UsageError, match="among 3 variants: AllTraffic, Shadow-01, Third"):
        windowed(storage, since=DAY)


def test_endpoints_outside_the_window_still_count_as_endpoints(storage: Storage) -> None:
    storage.put({**two_variants("", DAY, 1), **hours("old/AllTraffic", DAY - timedelta(days=9), 1)})
    with pytest.raises(UsageError, match="2 endpoints: churn, old"):
        windowed(storage, since=DAY)


def test_a_window_without_captures_says_when_there_are_some(storage: Storage) -> None:
    storage.put(two_variants("", DAY, 1))
    with pytest.raises(InputError, match=r"no production .*they run from 2026-10-05T00:00:00Z"):
        windowed(storage, since=DAY + timedelta(days=30))
    one = storage.at("churn/AllTraffic")
    with pytest.raises(InputError, match=r"no production .*they run from 2026-10-05T00:00:00Z"):
        discover(None, production=one, shadow=one, aws=storage.aws, until=DAY - timedelta(days=30))


def test_a_denial_in_the_middle_names_the_permission_once(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 24 * 4))
    small_pages(faults, monkeypatch, 30)
    faults.plan("list", "Shadow-01", *[ACCESS_DENIED] * 50)
    with pytest.raises(
        AccessError, match=r"^list s3://any/p/: .*s3:ListBucket is missing"
    ) as error:
        keys("s3://any/p", faulty)
    assert error.value.permission == "s3:ListBucket"


def test_credentials_that_expire_while_listing_stop_it(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 24 * 4))
    small_pages(faults, monkeypatch, 30)
    faults.plan("list", "2026/10/06", *[EXPIRED_TOKEN] * 50)
    with pytest.raises(AccessError, match="credentials have expired"):
        keys("s3://any/p", faulty)


def test_a_server_that_is_busy_while_listing_is_asked_again(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 24))
    small_pages(faults, monkeypatch, 30)
    faults.plan("list", "Shadow-01", SLOW_DOWN)
    assert len(keys("s3://any/p", faulty)) == 144


def test_a_right_to_one_prefix_is_enough_to_find_it_empty(
    faults: FaultServer, faulty: AwsOptions
) -> None:
    faults.plan("list", "p//churn/", ACCESS_DENIED)
    with pytest.raises(InputError, match="no captures found"):
        discover("s3://any/p/churn", aws=faulty)


def paged(*tokens: str | None) -> object:
    """A client whose every page says that there is more; its tokens come round again."""
    coming = cycle(tokens)

    class Client:
        def list_objects_v2(self, **_: object) -> dict[str, object]:
            token = next(coming)
            more = {} if token is None else {"NextContinuationToken": token}
            return {"IsTruncated": True, "Contents": [stored_object("p/x.jsonl")], **more}

    return Client()


def stored_object(key: str) -> dict[str, object]:
    return {"Key": key, "Size": 5, "ETag": '"x"', "LastModified": datetime(2026, 10, 5, tzinfo=UTC)}


@pytest.mark.parametrize("tokens", [("again",), ("a", "b"), ("a", "b", "c", "d", "e")])
@pytest.mark.parametrize("splits", [1, 2, 100])
def test_a_server_that_leads_round_is_not_followed_for_ever(
    monkeypatch: pytest.MonkeyPatch, tokens: tuple[str, ...], splits: int
) -> None:
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", splits)
    monkeypatch.setattr(s3, "s3_client", lambda *_: paged(*tokens))
    with pytest.raises(AccessError, match="does not go on to the next page"):
        keys("s3://any/p", AwsOptions())


def test_a_page_that_is_not_the_last_and_names_no_next_is_no_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for tokens in ((None,), ("a", None)):
        monkeypatch.setattr(s3, "s3_client", lambda *_, of=tokens: paged(*of))
        with pytest.raises(AccessError, match="gives no token"):
            keys("s3://any/p", AwsOptions())


def test_one_object_is_found_on_a_server_that_cannot_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def list_objects_v2(self, **request: object) -> dict[str, object]:
            below = str(request["Prefix"]).endswith("/")
            return {} if below else {"IsTruncated": True, "Contents": [stored_object("p/x.jsonl")]}

    monkeypatch.setattr(s3, "s3_client", lambda *_: Client())
    assert keys("s3://any/p/x.jsonl", AwsOptions()) == ["p/x.jsonl"]


def test_the_data_of_a_batch_job_are_not_asked_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(data_objects, "s3_client", lambda *_: paged("a", "b"))
    with pytest.raises(AccessError, match="does not go on to the next page"):
        data_objects.on_s3(["s3://any/p/x.csv"], AwsOptions(), "s3://any/p")


def test_leaving_early_leaves_no_thread_behind(
    faults: FaultServer, faulty: AwsOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults.put(two_variants("p/", DAY, 24 * 4))
    small_pages(faults, monkeypatch, 30)
    found = s3.entries("s3://any/p", faulty, Days())
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert not [one for one in threading.enumerate() if one.name.startswith("listing")]


def test_two_servers_list_a_split_prefix_alike(
    bucket: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {**two_variants("p/", DAY, 3), "p/churn/readme.txt": RECORD, "q/x.jsonl": RECORD}
    bucket.put(stored)
    monkeypatch.setattr(listing, "PAGES_BEFORE_SPLIT", 1)
    ask = listing.Bucket.page
    asked: list[str] = []

    def in_fours(
        place: listing.Bucket,
        prefix: str,
        token: str | None = None,
        *,
        most: int | None = None,
        delimiter: str = "",
    ) -> listing.Page:
        asked.append(prefix)
        return ask(place, prefix, token, most=most or 4, delimiter=delimiter)

    monkeypatch.setattr(listing.Bucket, "page", in_fours)
    assert keys(bucket.root, bucket.aws) == sorted(stored)
    assert "p/churn/Shadow-01/2026/10/05/02/" in asked
