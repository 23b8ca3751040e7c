"""Parquet files of labels: whatever is damaged in one is counted, and no process ends of it."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.examples import examples
from tests.labels.labels_builders import Asked, capture, fates, judged, line_codes, outcomes, write

if TYPE_CHECKING:
    from pathlib import Path

IDS = [f"r-{k}" for k in range(200)]


def of_polars() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"id": IDS, "label": ["yes", "no"] * 100}).write_parquet(file)
    return file.getvalue()


def of_pyarrow() -> bytes:
    file = io.BytesIO()
    table = pa.table({"id": IDS, "label": [k / 7 for k in range(200)]})
    pq.write_table(table, file, compression="none", row_group_size=50)
    return file.getvalue()


def flipped(whole: bytes, seed: int) -> bytes:
    """With one bit turned over, or the end gone."""
    drawn = random.Random(seed)
    data = bytearray(whole)
    data[drawn.randrange(len(data))] ^= 1 << drawn.randrange(8)
    return bytes(data[: drawn.randrange(len(data))] if seed % 10 == 0 else data)


def test_flipped_bits_are_counted_and_other_files_read(tmp_path: Path) -> None:
    """Polars ends the process at seed 36 of its own file, and panics at one in two hundred."""
    folder = tmp_path / "labels"
    write(folder / "a.csv", ["id,label\n", "whole,yes\n"])
    polars_own, pyarrow_own = of_polars(), of_pyarrow()
    seeds = [*range(examples(15, whole=36)), *range(36, examples(37, whole=50))]
    for seed in seeds:
        (folder / f"{seed}.parquet").write_bytes(flipped(polars_own, seed))
        (folder / f"{seed}-more.parquet").write_bytes(flipped(pyarrow_own, seed))
    codes = line_codes(folder)
    odd = {"label.invalid-parquet", "label.no-columns", "label.no-id", "label.no-label"}
    assert set(codes) <= {None, *odd}
    assert 0.4 <= codes["label.invalid-parquet"] / (2 * len(seeds)) < 1


OF_ANY_TYPE: dict[str, tuple[pa.Array[pa.Scalar[pa.DataType]], str]] = {
    "double": (pa.array([1.0, 0.0] * 5), "1"),
    "dictionary": (pa.array(["1", "0"] * 5).dictionary_encode(), "1"),
    "int8": (pa.array([1, 0] * 5, pa.int8()), "1"),
    "bool": (pa.array([True, False] * 5), "true"),
    "large_string": (pa.array(["1", "0"] * 5, pa.large_string()), "1.0"),
    "string_view": (pa.array(["1", "0"] * 5, pa.string_view()), "1"),
    "binary": (pa.array([b"1", b"0"] * 5), "1"),
}


@pytest.mark.parametrize(
    "types",
    [
        tuple(OF_ANY_TYPE),
        *(pytest.param((name,), marks=pytest.mark.long) for name in OF_ANY_TYPE),
    ],
    ids="-".join,
)
def test_labels_of_any_type_are_their_text(tmp_path: Path, types: tuple[str, ...]) -> None:
    """Each type has a file and requests of its own."""
    requests = []
    folder = tmp_path / "labels"
    folder.mkdir()
    for name in types:
        labels, said = OF_ANY_TYPE[name]
        ids = [f"{name}-{k}" for k in range(10)]
        requests += [Asked(said, "7", one) for one in ids]
        table = pa.table({"other": ids, "LABEL": labels, "Id": ids})
        pq.write_table(table, folder / f"{name}.parquet")
    source = capture(tmp_path / "captures", requests)
    done = judged(source, folder, "predictions.kind=label")
    assert outcomes(done)["right", "wrong"] == 5 * len(types)
    assert fates(done)["label.paired"] == 10 * len(types)


@pytest.mark.parametrize("labels", [[["yes"]], [{"a": "yes"}], [b"\xff"]])
def test_labels_that_have_no_text_are_counted(tmp_path: Path, labels: list[object]) -> None:
    path = tmp_path / "l.parquet"
    pq.write_table(pa.table({"id": ["r"], "label": labels}), path)
    assert line_codes(path) == {"label.invalid-parquet": 1}


def test_a_page_that_is_not_what_its_checksum_says_is_counted(tmp_path: Path) -> None:
    """Spark writes checksums, and without one a flipped bit of an answer is another answer."""
    path = tmp_path / "l.parquet"
    table = pa.table({"id": ["r-1"], "label": ["the answer"]})
    pq.write_table(
        table,
        path,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
        write_page_checksum=True,
    )
    data = path.read_bytes()
    assert line_codes(path) == {None: 1}
    path.write_bytes(data.replace(b"the answer", b"the ANSWER", 1))
    assert line_codes(path) == {"label.invalid-parquet": 1}
