"""Objects that are read a second time, because the worker that kept their rows is lost.

In: what was said of them the first time. Out: reading them (`parts`, `beside`). Lines were counted
and digested then: rows of another content would be judged under the digest of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.errors import AccessError
from analyzer.spark.pieces import LOAD

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pyarrow as pa

    from analyzer.spark.pieces import Batches


def as_before(
    batches: Batches, memory_limit: str | None, said: Collection[bytes]
) -> Iterator[pa.RecordBatch]:
    """Pass on what was read, unless it says something else of its objects than it did.

    Args:
        batches: with the rows named `LOAD`.
        memory_limit: of a table engine, which is not needed.
        said: all that was said the first time.

    Raises:
        AccessError: an object has changed, or cannot be read any more.
    """
    del memory_limit
    for batch in batches:
        for name, data in zip(batch["name"].to_pylist(), batch["data"], strict=True):
            if name == LOAD and data.as_py() not in said:
                raise AccessError(
                    "files had to be read again, because a worker was lost, and do not read as "
                    "before: they were changed, or cannot be reached; run again",
                    code="captures-changed",
                )
        yield batch
