"""botocore's description of AWS, parsed once in a process.

It is parsed for every session, and tests make hundreds: half of what a client costs. Clients of one
session share it, so that nobody changes it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.loaders import JSONFileLoader, Loader

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def parsed_once() -> Iterator[None]:
    """While it lasts, a file that was there is not read again."""
    kept: dict[str, Any] = {}
    read = JSONFileLoader.load_file

    def load_file(loader: JSONFileLoader, file_path: str) -> Any:  # noqa: ANN401 - JSON
        body = kept.get(file_path)
        if body is None:
            body = read(loader, file_path)
        if body is not None:
            kept[file_path] = body
        return body

    with mock.patch.object(JSONFileLoader, "load_file", load_file):
        yield


def read_for_s3() -> None:
    """Have read what a client of S3 needs, without making one."""
    loader = Loader()
    for name in ("endpoints", "partitions", "sdk-default-configuration", "_retry"):
        loader.load_data(name)
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        loader.load_service_model("s3", kind)
