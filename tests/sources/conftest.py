"""Three storages that must look the same: a folder and two unrelated S3 servers on loopback."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.sources import AwsOptions, aws
from tests.faults.fault_server import LoopbackServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.faults.fault_server import FaultServer

REGION = "us-east-1"
_numbers = count()


@dataclass(frozen=True)
class Storage:
    """Where a test puts objects, and how a run reaches them."""

    root: str
    aws: AwsOptions
    client: Any = None

    def put(self, objects: Mapping[str, bytes]) -> None:
        for key, body in objects.items():
            if self.client is not None:
                self.client.put_object(Bucket=self.root.removeprefix("s3://"), Key=key, Body=body)
                continue
            path = self.path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)

    def path(self, key: str) -> Path:
        from pathlib import Path

        return Path(self.root) / key

    def delete(self, key: str) -> None:
        if self.client is None:
            self.path(key).unlink()
        else:
            self.client.delete_object(Bucket=self.root.removeprefix("s3://"), Key=key)

    def at(self, key: str) -> str:
        return f"{self.root}/{key}"


@pytest.fixture(autouse=True)
def aws_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may depend on this machine's AWS settings or reach for its metadata service."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def localbucket_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where localbucket keeps a bucket's objects as plain files."""
    return tmp_path_factory.mktemp("localbucket")


@pytest.fixture(scope="session")
def localbucket_url(localbucket_root: Path) -> Iterator[str]:
    import localbucket  # type: ignore[import-untyped]  # one untyped script

    handler = type(
        "Handler",
        (localbucket.S3Handler,),
        {"data_root": localbucket_root, "disable_nagle_algorithm": True},
    )
    server = LoopbackServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@cache
def client_of(url: str) -> Any:  # noqa: ANN401 - boto3's clients have no static type
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - the servers take any
        config=Config(s3={"addressing_style": "path"}),
    )


def bucket_on(url: str) -> Storage:
    client = client_of(url)
    name = f"captures-{next(_numbers)}"
    client.create_bucket(Bucket=name)
    return Storage(f"s3://{name}", AwsOptions(endpoint_url=url, region=REGION), client)


@pytest.fixture
def folder(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path), AwsOptions())


@pytest.fixture
def moto_bucket(moto_url: str) -> Storage:
    return bucket_on(moto_url)


@pytest.fixture
def local_bucket(localbucket_url: str) -> Storage:
    return bucket_on(localbucket_url)


@pytest.fixture(params=["folder", "moto_bucket", "local_bucket"])
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["moto_bucket", "local_bucket"])
def bucket(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def fault_server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture
def faults(fault_server: FaultServer) -> FaultServer:
    """A server without objects or plans yet; see `fault_server.py` for what it can do.

    A client keeps a budget of retries, so each test begins with a new one.
    """
    fault_server.reset()
    aws.s3_client.cache_clear()
    return fault_server


@pytest.fixture
def faulty(faults: FaultServer) -> AwsOptions:
    """How a run reaches `faults`."""
    return AwsOptions(endpoint_url=faults.url, region=REGION)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses, in seconds, that would have been made between tries; none is."""
    from botocore.retries.standard import ExponentialBackoff

    taken: list[float] = []
    delay_amount = ExponentialBackoff.delay_amount

    def at_once(backoff: ExponentialBackoff, context: Any) -> float:  # noqa: ANN401 - botocore's
        taken.append(delay_amount(backoff, context))
        return 0.0

    monkeypatch.setattr(ExponentialBackoff, "delay_amount", at_once)
    return taken
