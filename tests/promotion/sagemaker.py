"""SageMaker on loopback, as far as a promotion needs it, in front of moto for everything else.

moto knows neither UpdateEndpoint nor shadow variants nor inference experiments. This server does:
it checks every request against botocore's model, moves an endpoint through Updating, rolls back if
told to, and refuses what AWS refuses (an update that removes a scalable variant). Application Auto
Scaling and CloudWatch are moto's own, behind the same address.

    server = Server(moto_url)
    server.fail("UpdateEndpoint", "AccessDeniedException")   # the next one
    server.fail("UpdateEndpoint", "InternalFailure", taken=True)   # carried out all the same
"""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.validate import ParamValidator

from analyzer.promotion.requests import service_model
from tests.faults.fault_server import LoopbackServer
from tests.promotion.endpoints import ACCOUNT, CONFIG, ENDPOINT, answers

if TYPE_CHECKING:
    from collections.abc import Iterator

READING = ("Describe", "List")
RESET = "reset"
"""Instead of an error code: the connection ends without an answer."""
_STATUS = {"InternalFailure": 500, "ServiceUnavailable": 503}


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, 400)


class Server:
    """State and behaviour of one account.

    Attributes:
        polls: how many descriptions an update takes.
        lags: how many descriptions do not show an update yet.
        rolls_back: whether the next update comes back.
        sent: every request that was no question, by operation.
    """

    url = ""

    def __init__(self, moto_url: str) -> None:
        self.moto_url = moto_url
        here = answers()
        self.endpoint: dict[str, Any] = here["DescribeEndpoint"]
        self.configs: dict[str, dict[str, Any]] = {CONFIG: here["DescribeEndpointConfig"]}
        self.tags: list[dict[str, str]] = []
        self.experiment: dict[str, Any] | None = None
        self.polls, self.lags, self.rolls_back = 2, 0, False
        self.sent: Counter[str] = Counter()
        self.refuse_after: int | None = None
        self._left = 0
        self._faults: dict[str, deque[str]] = {}
        self._lost: dict[str, deque[str]] = {}

    def fail(self, operation: str, *codes: str, taken: bool = False) -> None:
        """Answer the next calls of an operation with these errors, carried out first or not."""
        planned = self._lost if taken else self._faults
        planned.setdefault(operation, deque()).extend(codes)

    def lose(self, operation: str) -> None:
        """Fail a request that was carried out, if a test planned that."""
        codes = self._lost.get(operation)
        if codes:
            raise RefusedError(codes.popleft(), f"planned for {operation}")

    def fault(self, operation: str) -> None:
        """Refuse a request that a test planned to be refused."""
        codes = self._faults.get(operation)
        if codes:
            raise RefusedError(codes.popleft(), f"planned for {operation}")
        if operation.startswith(READING):
            return
        if self.refuse_after is not None and sum(self.sent.values()) >= self.refuse_after:
            self.refuse_after = None
            raise RefusedError("ValidationException", f"planned before {operation}")
        self.sent[operation] += 1

    def answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """What SageMaker says to a request."""
        shape: Any = service_model("sagemaker").operation_model(operation).input_shape
        found = ParamValidator().validate(request, shape)
        if found.has_errors():
            raise RefusedError("ValidationException", found.generate_report())
        self.fault(operation)
        answered: dict[str, Any] = getattr(self, operation)(**request)
        self.lose(operation)
        return answered

    # Operations are named, and their arguments spelled, as the API does.

    def DescribeEndpoint(self, EndpointName: str) -> dict[str, Any]:  # noqa: N802, N803
        if EndpointName != ENDPOINT:
            raise RefusedError("ValidationException", f'Could not find endpoint "{EndpointName}".')
        if self._left and self.lags:
            self.lags -= 1
            shown = {**self.endpoint, "EndpointStatus": "InService"}
            del shown["PendingDeploymentSummary"]
            return shown
        if self._left:
            self._left -= 1
            if not self._left:
                self._arrive()
        return self.endpoint

    def DescribeEndpointConfig(self, EndpointConfigName: str) -> dict[str, Any]:  # noqa: N802, N803
        if EndpointConfigName not in self.configs:
            text = f'Could not find endpoint configuration "{EndpointConfigName}".'
            raise RefusedError("ValidationException", text)
        return self.configs[EndpointConfigName]

    def CreateEndpointConfig(self, EndpointConfigName: str, **body: Any) -> dict[str, Any]:  # noqa: ANN401, N802, N803
        if EndpointConfigName in self.configs:
            raise RefusedError(
                "ValidationException", "Cannot create already existing configuration"
            )
        arn = f"{ACCOUNT}:endpoint-config/{EndpointConfigName}"
        made = {"EndpointConfigName": EndpointConfigName, "EndpointConfigArn": arn}
        for variant in body["ProductionVariants"]:
            variant.setdefault("EnableSSMAccess", False)  # a default of AWS's own
        body.pop("Tags", None)
        self.configs[EndpointConfigName] = {**made, "CreationTime": 1795600000.0, **body}
        return {"EndpointConfigArn": arn}

    def UpdateEndpoint(  # noqa: N802
        self,
        EndpointName: str,  # noqa: N803
        EndpointConfigName: str,  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        if self.endpoint["EndpointStatus"] != "InService":
            raise RefusedError("ValidationException", "Cannot update in-progress endpoint")
        before, after = self._variants(), self._variants(EndpointConfigName)
        scalable = set(before) - {name for name, kind in after.items() if before.get(name) == kind}
        if any(self._scales(EndpointName, name) for name in scalable):
            raise RefusedError("ValidationException", "deregister the variant as a scalable target")
        self._move(EndpointConfigName)
        return {"EndpointArn": self.endpoint["EndpointArn"]}

    def ListTags(self, ResourceArn: str) -> dict[str, Any]:  # noqa: N802, N803
        assert ResourceArn == self.configs[CONFIG]["EndpointConfigArn"] or not self.tags
        return {"Tags": self.tags}

    def DescribeModel(self, ModelName: str) -> dict[str, Any]:  # noqa: N802, N803
        return {**answers()["DescribeModel"], "ModelName": ModelName, "CreationTime": 1790000000.0}

    def ListInferenceExperiments(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401, N802
        runs = self.experiment is not None and self.experiment["Status"] == "Running"
        other = {"Name": "another-test"}
        return {"InferenceExperiments": [other, {"Name": "churn-test"}] if runs else [other]}

    def DescribeInferenceExperiment(self, Name: str) -> dict[str, Any]:  # noqa: N802, N803
        if self.experiment is None or self.experiment["Name"] != Name:
            where = {"EndpointMetadata": {"EndpointName": "another"}, "Status": "Running"}
            return {**where, "Name": Name}
        return self.experiment

    def StopInferenceExperiment(  # noqa: N802
        self,
        Name: str,  # noqa: N803
        ModelVariantActions: dict[str, str],  # noqa: N803
        DesiredModelVariants: list[dict[str, Any]],  # noqa: N803
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        assert self.experiment is not None
        if self.experiment["Status"] != "Running":
            raise RefusedError("ConflictException", "the test is not running")
        kept = [name for name, action in ModelVariantActions.items() if action != "Remove"]
        assert kept == [one["VariantName"] for one in DesiredModelVariants]
        if any(self._scales(ENDPOINT, name) for name in set(ModelVariantActions) - set(kept)):
            raise RefusedError("ValidationException", "deregister the variant as a scalable target")
        self.experiment["Status"] = "Stopping"
        variants = [
            {"VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large"} for name in kept
        ]
        made = {"EndpointConfigName": f"of-{Name}", "ProductionVariants": variants}
        self.configs[f"of-{Name}"] = made
        self._move(f"of-{Name}")
        return {"InferenceExperimentArn": self.experiment["Arn"]}

    def forget(self, resource: str) -> None:
        """Delete what goes with a scalable target, which AWS does and moto does not."""
        from tests.promotion.conftest import client

        scaling = client("application-autoscaling", self.moto_url)
        where = {"ServiceNamespace": "sagemaker", "ResourceId": resource}
        for policy in scaling.describe_scaling_policies(**where)["ScalingPolicies"]:
            key = {"ScalableDimension": policy["ScalableDimension"], **where}
            scaling.delete_scaling_policy(PolicyName=policy["PolicyName"], **key)
        for action in scaling.describe_scheduled_actions(**where)["ScheduledActions"]:
            key = {"ScalableDimension": action["ScalableDimension"], **where}
            scaling.delete_scheduled_action(
                ScheduledActionName=action["ScheduledActionName"], **key
            )

    def _variants(self, config: str | None = None) -> dict[str, str]:
        held = self.configs[config or self.endpoint["EndpointConfigName"]]
        groups = ("ProductionVariants", "ShadowProductionVariants")
        found = [one for group in groups for one in held.get(group) or ()]
        return {one["VariantName"]: one.get("InstanceType", "") for one in found}

    def _move(self, config: str) -> None:
        self.endpoint["EndpointStatus"] = "Updating"
        self.endpoint["PendingDeploymentSummary"] = {"EndpointConfigName": config}
        self._left = self.polls

    def _arrive(self) -> None:
        config = self.endpoint.pop("PendingDeploymentSummary")["EndpointConfigName"]
        self.endpoint["EndpointStatus"] = "InService"
        if self.experiment is not None:
            self.experiment["Status"] = "Completed"
        if self.rolls_back:
            self.endpoint["FailureReason"] = "alarm\nwent off"
            return
        self.endpoint["EndpointConfigName"] = config
        self.endpoint["ProductionVariants"] = [
            {"VariantName": one["VariantName"], "CurrentInstanceCount": 2}
            for one in self.configs[config]["ProductionVariants"]
        ]
        self.endpoint.pop("ShadowProductionVariants", None)

    def _scales(self, endpoint: str, variant: str) -> bool:
        from tests.promotion.conftest import client

        asked = client("application-autoscaling", self.moto_url).describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{endpoint}/variant/{variant}"]
        )
        return bool(asked["ScalableTargets"])


class _Handler(BaseHTTPRequestHandler):
    """SageMaker's requests are answered here; any other goes on to moto as it came."""

    state: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body sent after its header waits 40 ms for the other's ACK

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        service, _, operation = self.headers.get("X-Amz-Target", self.path).rpartition(".")
        operation = operation.rpartition("/")[2]
        try:
            if service == "SageMaker":
                self._say(200, self.state.answer(operation, json.loads(body)))
                return
            self.state.fault(operation)
        except RefusedError as error:
            self._refuse(error)
            return
        if operation == "DescribeScalingActivities":  # moto does not know it
            self._say(200, {"ScalingActivities": []})
            return
        if operation == "DeregisterScalableTarget":
            self.state.forget(json.loads(body)["ResourceId"])
        self._forward(operation, body)

    def _forward(self, operation: str, body: bytes) -> None:
        connection = HTTPConnection(urlsplit(self.state.moto_url).netloc)
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        held = answer.read()
        connection.close()
        try:
            self.state.lose(operation)
        except RefusedError as error:
            self._refuse(error)
            return
        self._write(answer.status, held, answer.headers["Content-Type"])

    def _refuse(self, error: RefusedError) -> None:
        if error.code == RESET:
            self.close_connection = True
            return
        self._say(error.status, {"__type": error.code, "message": str(error)})

    def _say(self, status: int, body: dict[str, Any]) -> None:
        self._write(status, json.dumps(body).encode(), "application/x-amz-json-1.1")

    def _write(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving(moto_url: str) -> Iterator[Server]:
    """A new account for as long as the block lasts."""
    state = Server(moto_url)
    server = LoopbackServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
