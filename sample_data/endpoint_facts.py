"""endpoint.json of a scenario: what the Describe calls of its endpoint would answer.

In: an endpoint made from an endpoint configuration with a shadow variant, live since the evening
before the test. Out: inference experiments, which make the same endpoint another way.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

from sample_data.cloudwatch_points import ACCOUNT, ENDPOINT, REGION
from sample_data.scenarios import VARIANTS
from sample_data.traffic import START

if TYPE_CHECKING:
    from sample_data.scenarios import Scenario
    from sample_data.traffic import Deployment

CONFIG = "churn-endpoint-shadow"
DESTINATION = "s3://churn-data/captures"
LIVE_SINCE = (START - timedelta(hours=3)).isoformat()


def endpoint_json(scenario: Scenario) -> str:
    """The raw answers under the names of their calls, times as ISO 8601 text."""
    return (
        json.dumps(
            {
                "DescribeEndpoint": _endpoint(scenario),
                "DescribeEndpointConfig": _endpoint_config(scenario),
                "ScalingActivities": [],
            },
            indent=2,
        )
        + "\n"
    )


def _endpoint(scenario: Scenario) -> dict[str, object]:
    production, shadow = scenario.shape.production, scenario.shape.shadow
    return {
        "EndpointName": ENDPOINT,
        "EndpointArn": _arn("endpoint", ENDPOINT),
        "EndpointConfigName": CONFIG,
        "ProductionVariants": [_running(VARIANTS["production"], production, 1.0)],
        "ShadowProductionVariants": [
            _running(VARIANTS["shadow"], shadow, scenario.shape.mirrored),
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": round(100 * scenario.captured),
            "DestinationS3Uri": DESTINATION,
            "KmsKeyId": _arn("key", "7d0f3c52-5b1e-4a7e-9a53-0c6f7a1f2b90", service="kms"),
        },
        "EndpointStatus": "InService",
        "CreationTime": (START - timedelta(days=160)).isoformat(),
        "LastModifiedTime": LIVE_SINCE,
    }


def _endpoint_config(scenario: Scenario) -> dict[str, object]:
    shape, outputs = scenario.shape, scenario.outputs
    same_model = outputs.production == outputs.shadow
    model = "churn-2026-06"
    return {
        "EndpointConfigName": CONFIG,
        "EndpointConfigArn": _arn("endpoint-config", CONFIG),
        "ProductionVariants": [
            _configured(VARIANTS["production"], model, "ml.m5.xlarge", shape.production, 1.0),
        ],
        "ShadowProductionVariants": [
            _configured(
                VARIANTS["shadow"],
                model if same_model else "churn-2026-11",
                "ml.c6i.xlarge" if same_model else "ml.m5.xlarge",
                shape.shadow,
                shape.mirrored,
            ),
        ],
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": round(100 * scenario.captured),
            "DestinationS3Uri": DESTINATION,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
        "CreationTime": (START - timedelta(hours=3, minutes=9)).isoformat(),
    }


def _running(variant: str, deployment: Deployment, weight: float) -> dict[str, object]:
    return {
        "VariantName": variant,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": deployment.instances,
        "DesiredInstanceCount": deployment.instances,
    }


def _configured(
    variant: str, model: str, instance_type: str, deployment: Deployment, weight: float
) -> dict[str, object]:
    return {
        "VariantName": variant,
        "ModelName": model,
        "InitialInstanceCount": deployment.instances,
        "InstanceType": instance_type,
        "InitialVariantWeight": weight,
    }


def _arn(kind: str, name: str, service: str = "sagemaker") -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}/{name}"
