"""One variant's captures are found among others, in a folder and on two unrelated S3 servers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from analyzer.errors import InputError, UsageError
from analyzer.sources.one_variant import OneVariant, discover_one, folder_of

if TYPE_CHECKING:
    from analyzer.sources import Listing
    from tests.sources.conftest import Storage

HOURS = ("2026/11/20/09", "2026/11/21/09")


def put(storage: Storage, *variants: str, endpoint: str = "churn") -> None:
    storage.put(
        {
            f"captures/{endpoint}/{variant}/{hour}/a.jsonl": b"{}\n"
            for variant in variants
            for hour in HOURS
        }
    )


def found(storage: Storage, wanted: OneVariant | None = None, at: str = "captures") -> Listing:
    return discover_one(storage.at(at), wanted or OneVariant(), storage.aws)


def test_the_only_variant_is_production(storage: Storage) -> None:
    put(storage, "AllTraffic")
    storage.put({"captures/churn/AllTraffic/2026/11/20/09/_SUCCESS": b"x", "captures/x.txt": b"x"})
    listing = found(storage)
    assert (listing.endpoint, listing.production_variant) == ("churn", "AllTraffic")
    assert len(listing.objects) == 2
    assert listing.skipped == {"hidden": 1, "not-jsonl": 1}
    assert folder_of(listing) == storage.at("captures/churn/AllTraffic")


def test_a_shadow_beside_it_is_not_replayed(storage: Storage) -> None:
    put(storage, "AllTraffic", "Shadow-01")
    listing = found(storage)
    assert listing.production_variant == "AllTraffic"
    assert listing.skipped == {"other-variant": 2}


def test_days_outside_the_window_are_left_out(storage: Storage) -> None:
    put(storage, "AllTraffic")
    listing = found(storage, OneVariant(since=datetime(2026, 11, 21, tzinfo=UTC)))
    assert [item.key.rpartition("/")[0][-13:] for item in listing.objects] == [HOURS[1]]
    with pytest.raises(InputError, match="only days outside"):
        found(storage, OneVariant(since=datetime(2026, 12, 1, tzinfo=UTC)))


def test_two_variants_or_endpoints_are_a_question(storage: Storage) -> None:
    put(storage, "a", "b")
    with pytest.raises(UsageError, match="among 2 variants: a, b; choose with --production"):
        found(storage)
    with pytest.raises(UsageError, match="'c' is not there; found: a, b"):
        found(storage, OneVariant(variant="c"))
    assert len(found(storage, OneVariant(variant="b")).objects) == 2
    put(storage, "a", endpoint="other")
    with pytest.raises(UsageError, match="2 endpoints"):
        found(storage, OneVariant(variant="a"))
    chosen = found(storage, OneVariant(endpoint="other"))
    assert (chosen.endpoint, chosen.skipped) == ("other", {"other-endpoint": 4})


def test_a_variants_own_folder_and_flat_files_are_read(storage: Storage) -> None:
    put(storage, "AllTraffic")
    assert len(found(storage, at="captures/churn/AllTraffic").objects) == 2
    storage.put({"flat/a.jsonl": b"{}\n", "flat/b": b"{}\n"})
    listing = found(storage, at="flat")
    assert [item.key.rpartition("/")[2] for item in listing.objects] == ["a.jsonl"]
    assert folder_of(listing) is None
    assert len(found(storage, at="flat/b").objects) == 1


def test_nothing_to_read_says_what_was_looked_for(storage: Storage) -> None:
    storage.put({"empty/x.parquet": b"PAR1"})
    with pytest.raises(InputError, match="looked for"):
        found(storage, at="empty")
