"""Whose captures and metrics a run says it read, where roles are paths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer import analysis
from analyzer.cloudwatch import open_exports
from analyzer.console.progress import silent
from analyzer.metrics.metric import EndpointFacts
from analyzer.model import Decision
from analyzer.reading.subject import Flags, Names, called, names_of
from analyzer.sources import Listing

if TYPE_CHECKING:
    from analyzer.cloudwatch import Exports

ROOT = Path(__file__).parents[2]
OLD, NEW = "churn-v1", "churn-v2-shadow"
TOLD = EndpointFacts(name="churn", production_variant=OLD, shadow_variant=NEW)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    """A point of each of two variants."""
    rows = [
        {
            "namespace": "AWS/SageMaker",
            "metric_name": "Invocations",
            "dimensions": {"EndpointName": "churn", "VariantName": variant},
            "period": 60,
            "stat": "Sum",
            "timestamp": "2026-10-05T00:00:00Z",
            "value": 1,
            "unit": "Count",
        }
        for variant in (OLD, NEW)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return open_exports([path])


def listed(endpoint: EndpointFacts | None) -> Listing:
    """Captures of two paths, to which endpoint.json alone gives names."""
    production, shadow = (
        (endpoint.production_variant, endpoint.shadow_variant) if endpoint else (None, None)
    )
    return Listing(None, production, shadow, (), {}, same_objects=False)


@pytest.mark.parametrize("endpoint", [None, TOLD], ids=["no endpoint.json", "endpoint.json"])
@pytest.mark.parametrize(
    ("production", "shadow", "named"),
    [
        (f"caps/{OLD}", f"caps/{NEW}", (OLD, NEW)),
        (f"caps/{NEW}", f"caps/{OLD}", (NEW, OLD)),
        (f"caps/{NEW}/", f"s3://b/churn//{OLD}/2026/10/05", (NEW, OLD)),
        (f"{NEW}.jsonl.gz", f"caps/{OLD}/2026/10/05/13/a.jsonl", (NEW, OLD)),
        (f"caps/{OLD}", f"caps/{OLD}", (OLD, OLD)),
        ("caps/before", "caps/after", (OLD, NEW)),
        (f"{NEW}/before", f"{OLD}/after", (NEW, OLD)),
        (f"{NEW}/before", f"{NEW}/after", (OLD, NEW)),
        (f"caps/{NEW}/.", f"caps/{OLD}.JSONL", (NEW, OLD)),
    ],
)
def test_paths_that_are_called_as_variants_name_what_was_read_in_each_role(
    exports: Exports,
    endpoint: EndpointFacts | None,
    production: str,
    shadow: str,
    named: tuple[str, str],
) -> None:
    flags = Flags(None, "churn", production, shadow)
    listing = listed(endpoint)
    names = names_of(flags, listing, endpoint, exports)
    assert names == Names("churn", *named)
    if production.startswith("caps/churn"):
        assert called(flags, listing, names) == dict(
            zip(("production", "shadow"), named, strict=True)
        )


def test_one_path_that_is_called_as_a_variant_settles_the_other_of_two(exports: Exports) -> None:
    flags = Flags(None, "churn", f"caps/{NEW}", "caps/after")
    assert names_of(flags, listed(None), None, exports) == Names("churn", NEW, OLD)


def test_captures_swapped_against_endpoint_json_and_exports_are_named_and_closed() -> None:
    """What is measured is then of the variants whose answers were read, and none is promoted."""
    scenario = ROOT / "sample_data" / "new_instance"
    captures = scenario / "captures" / "churn-endpoint"
    request = analysis.Request(
        production=str(captures / NEW),
        shadow=str(captures / OLD),
        cloudwatch=(str(scenario / "cloudwatch"),),
        policy_file=scenario / "policy.toml",
        use_cache=False,
    )
    verdict = analysis.run(request, silent).verdict
    subject = verdict.subject
    assert (subject.production_variant, subject.shadow_variant) == (NEW, OLD)
    assert verdict.gates["roles"].closed
    assert f"this run took {NEW} for it" in verdict.gates["roles"].text
    assert verdict.decision is not Decision.PROMOTE
