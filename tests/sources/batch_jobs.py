"""Batch-transform jobs as they lie in a bucket or in a folder copied from one."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analyzer.sources import discover, open_chunks

if TYPE_CHECKING:
    from analyzer.sources import Chunk, Listing
    from tests.sources.conftest import Storage

HOUR = "2026/10/05/13"
LATER = "2026/10/05/15"
Files = Mapping[str, tuple[bytes | None, bytes | None]]
"""Name -> (input, output); None where the manifest names what is not there."""


@dataclass(frozen=True)
class Job:
    """One job: its capture folder, and where its data lie.

    Attributes:
        prefix: of everything; data are in `data/` and `results/` below it.
        bucket: what the manifests call the bucket.
    """

    prefix: str
    files: Files
    hour: str = HOUR
    bucket: str = "bucket"
    extra: Mapping[str, bytes] = field(default_factory=dict)

    def objects(self) -> dict[str, bytes]:
        objects = {
            f"{self.prefix}/input/{self.hour}/manifest.jsonl": self.manifest("data", ""),
            f"{self.prefix}/output/{self.hour}/manifest.jsonl": self.manifest("results", ".out"),
        }
        for name, (given, made) in self.files.items():
            if given is not None:
                objects[f"{self.prefix}/data/{name}"] = given
            if made is not None:
                objects[f"{self.prefix}/results/{name}.out"] = made
        return {**objects, **self.extra}

    def manifest(self, folder: str, ending: str) -> bytes:
        prefix = {"prefix": f"s3://{self.bucket}/{self.prefix}/{folder}/"}
        return json.dumps([prefix, *(name + ending for name in self.files)]).encode()


def bucket_of(storage: Storage) -> str:
    return storage.root.removeprefix("s3://") if storage.client else "bucket"


def put(storage: Storage, *jobs: Job) -> None:
    for job in jobs:
        storage.put(job.objects())


def with_ids(outputs: list[str], hour: str = HOUR) -> bytes:
    """CSV lines as GenerateInferenceId leaves them: a fresh UUID and the start of the job."""
    at = f"{hour[:10].replace('/', '-')}T{hour[11:]}:49:15Z"
    return "".join(f"{output}, {uuid.uuid4()},{at}\n" for output in outputs).encode()


def two_jobs(storage: Storage) -> None:
    """Seven lines in two files; in each, the line marked here is on the other side of 0.5."""
    bucket = bucket_of(storage)
    inputs = [b"1,0.5\n2,0.5\n3,0.5\n4,0.5\n", b"5,0.5\n6,0.5\n7,0.5\n"]
    before = [["0.1", "0.6", "0.9", "0.2"], ["0.7", "0.3", "0.8"]]
    after = [["0.1", "0.4", "0.9", "0.3"], ["0.7", "0.3", "0.2"]]  # line 2 of 4, line 3 of 3
    for prefix, outputs, hour in (("a", before, HOUR), ("b", after, LATER)):
        files = {
            f"day/dummy_{k}.csv": (inputs[k], with_ids(outputs[k], hour))
            for k in range(len(inputs))
        }
        put(storage, Job(prefix, files, hour, bucket))


def listed(storage: Storage, production: str = "a", shadow: str = "b") -> Listing:
    return discover(
        None, production=storage.at(production), shadow=storage.at(shadow), aws=storage.aws
    )


def read_job(storage: Storage, given: bytes, made: bytes, max_line_bytes: int = 1 << 24) -> Read:
    """One file of one job, read on its own; the shadow is another job over the same input."""
    files = {"dummy_0.csv": (given, made)}
    put(storage, *(Job(prefix, files, bucket=bucket_of(storage)) for prefix in ("a", "b")))
    listing = listed(storage)
    chunks = list(open_chunks(listing, max_line_bytes=max_line_bytes))
    return Read(listing, [chunk for chunk in chunks if chunk.role == "production"])


@dataclass(frozen=True)
class Read:
    """What one side's chunks say."""

    listing: Listing
    chunks: list[Chunk]

    @property
    def lines(self) -> list[bytes]:
        return b"".join(chunk.data for chunk in self.chunks).split(b"\n")[:-1]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line]

    @property
    def outputs(self) -> list[tuple[str, str]]:
        """(encoding, data) of every output."""
        sides = (record["captureData"]["endpointOutput"] for record in self.records)
        return [(side["encoding"], side["data"]) for side in sides]

    @property
    def failures(self) -> list[str]:
        return [chunk.failure.code for chunk in self.chunks if chunk.failure is not None]
