"""Pairs of captured outputs as the table `pairs` holds them, and what `prepare` makes of them."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pyarrow as pa

from analyzer.engine import Engine
from analyzer.payloads import prepare
from analyzer.policy import Policy, Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

START = datetime(2026, 11, 16, tzinfo=UTC)


@dataclass(frozen=True)
class Output:
    """One captured output: what SageMaker writes into `data` and `encoding`."""

    data: str | None
    encoding: str | None = "CSV"


def in_json(text: str) -> Output:
    return Output(text, "JSON")


def in_base64(content: bytes | str) -> Output:
    raw = content.encode() if isinstance(content, str) else content
    return Output(base64.b64encode(raw).decode(), "BASE64")


def in_npy(array: npt.NDArray[Any], *, allow_pickle: bool = False) -> Output:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=allow_pickle)
    return in_base64(file.getvalue())


@dataclass(frozen=True)
class Compared:
    """The tables of one run."""

    tables: Mapping[str, pa.Table]

    @property
    def kind(self) -> str:
        return str(self.tables["prediction_shape"].column("kind")[0].as_py())

    @property
    def path(self) -> str | None:
        path: str | None = self.tables["prediction_shape"].column("path")[0].as_py()
        return path

    @property
    def counts(self) -> dict[str, Any]:
        row: dict[str, Any] = self.tables["prediction_counts"].to_pylist()[0]
        return row

    @property
    def codes(self) -> dict[str, int]:
        rows = self.tables["contract_changes"].to_pylist()
        return {row["code"]: row["pairs"] for row in rows}

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self.tables[name].to_pylist()


def policy_of(*, change: str = "model", **predictions: str | float | None) -> Policy:
    return Policy.model_validate(
        {"change": change, "predictions": Predictions.model_validate(predictions)}
    )


def compare(
    production: Sequence[Output | str | None],
    shadow: Sequence[Output | str | None],
    *,
    inputs: Sequence[int | None] | None = None,
    policy: Policy | None = None,
    threads: int = 2,
) -> Compared:
    """Run `prepare` on pairs; a bare string is a CSV output, None an absent one."""
    table = pairs_table(production, shadow, inputs)
    with Engine(threads=threads) as engine, engine.lend(pairs=table):
        engine.keep("repeated_inputs")
        return Compared(prepare(engine, policy or policy_of()))


def pairs_table(
    production: Sequence[Output | str | None],
    shadow: Sequence[Output | str | None],
    inputs: Sequence[int | None] | None = None,
) -> pa.Table:
    """The table `pairs`; every pair its own input unless said."""
    answers = [[_output(one) for one in side] for side in (production, shadow)]
    count = len(production)
    keys = list(range(count)) if inputs is None else list(inputs)
    times = [START + timedelta(seconds=second) for second in range(count)]
    return pa.table(
        {
            "pair_id": pa.array([pair_id(index) for index in range(count)], pa.string()),
            "inference_key": pa.array([None] * count, pa.string()),
            "inference_text": pa.array([f"request {index}" for index in range(count)], pa.string()),
            "captured_at": pa.array([at.replace(tzinfo=None) for at in times], pa.timestamp("us")),
            "input_key": pa.array(keys, pa.uint64()),
            "production_encoding": pa.array([one.encoding for one in answers[0]], pa.string()),
            "production_data": pa.array([one.data for one in answers[0]], pa.string()),
            "shadow_encoding": pa.array([one.encoding for one in answers[1]], pa.string()),
            "shadow_data": pa.array([one.data for one in answers[1]], pa.string()),
        }
    )


def pair_id(index: int) -> str:
    """The event of pair `index`, counted from 0."""
    return str(UUID(int=index + 1))


def _output(one: Output | str | None) -> Output:
    return one if isinstance(one, Output) else Output(one, None if one is None else "CSV")
