"""endpoint.json files as `analyzer metrics` writes them, of one endpoint at several times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path


def write_endpoint(
    folder: Path,
    config: str,
    modified: datetime,
    *,
    created: datetime | None = None,
    scaled: Sequence[tuple[datetime, datetime | None]] = (),
    experiment: dict[str, Any] | None = None,
    name: str = "churn",
    shadow: str | None = "Shadow-01",
) -> Path:
    """One description, in a folder of its own: both variants alike, half of the requests captured.

    Args:
        created: of the configuration; when the endpoint was modified without it.
        scaled: start and end of each scaling activity; one that goes on has no end.
        shadow: its variant's name; None for an endpoint without one.
    """
    shadows = [] if shadow is None else [{"VariantName": shadow, "CurrentWeight": 1.0}]
    answers: dict[str, Any] = {
        "DescribeEndpoint": {
            "EndpointName": name,
            "EndpointConfigName": config,
            "LastModifiedTime": modified,
            "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentWeight": 1.0}],
            "ShadowProductionVariants": shadows,
            "DataCaptureConfig": {"EnableCapture": True, "CurrentSamplingPercentage": 50},
        },
        "DescribeEndpointConfig": {
            "EndpointConfigName": config,
            "CreationTime": created or modified,
        },
        "ScalingActivities": [
            {"ActivityId": f"at-{start}", "StartTime": start} | ({"EndTime": end} if end else {})
            for start, end in scaled
        ],
    }
    if experiment is not None:
        answers["DescribeInferenceExperiment"] = experiment
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "endpoint.json"
    path.write_text(json.dumps(answers, default=str), encoding="utf-8")
    return path
