"""An account on loopback: SageMaker as `sagemaker` knows it, the rest from moto."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.promotion.sagemaker import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.promotion.sagemaker import Server

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def aws_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may depend on this machine's AWS settings or reach for its metadata service."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
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
def account(moto_url: str) -> Iterator[Server]:
    """One address for all tests, since making clients takes longer than asking them."""
    with serving(moto_url) as state:
        yield state


@pytest.fixture
def server(account: Server) -> Server:
    """An account in which nothing scales and nothing is watched."""
    fresh(account)
    return account


def fresh(server: Server) -> None:
    """As nobody has asked anything of it yet."""
    import urllib.request

    reset = urllib.request.Request(f"{server.moto_url}/moto-api/reset", method="POST")  # noqa: S310
    urllib.request.urlopen(reset).close()  # noqa: S310 - loopback
    url = server.url
    type(server).__init__(server, server.moto_url)
    server.url = url


@cache
def client(service: str, url: str) -> Any:  # noqa: ANN401 - boto3's clients have no static type
    import boto3

    return boto3.client(  # type: ignore[call-overload]  # one of three names
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - the servers take any
    )
