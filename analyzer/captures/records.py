"""Capture files -> records, pairs and the ledger that accounts for every line.

In: lines -> tables `records`, `rejects`, `pairs` (see the .sql headers) and small tables about
them. Out: finding and opening objects (`sources`), what outputs mean (`payloads`), judging.

The order is load, pair, set the window, read the facts: the window belongs to pairs, by
production's time, so a pair across its border is never torn.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from analyzer.captures.pairing import PairingCounts, find_pairs
from analyzer.captures.shards import BATCH_BYTES, ObjectTally, write_shards
from analyzer.captures.tables import keep_pairs, naive_window, show_shards, tallies_by_role
from analyzer.errors import AnalyzerError
from analyzer.figures import counted, grouped
from analyzer.metrics.metric import CaptureFacts
from analyzer.model import Ledger, Note, Pairing
from analyzer.sources.objects import MAX_LINE_BYTES, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from analyzer.asked import Asked
    from analyzer.captures.shards import PlacedShard
    from analyzer.engine import Engine
    from analyzer.policy import PairingRules
    from analyzer.slices import SlicedInputs
    from analyzer.sources.objects import Chunk, Role

Extent = tuple[datetime, datetime]
_FATES: dict[str, pl.DataType] = {
    "role": pl.String(),
    "hour": pl.Datetime("us"),
    "fate": pl.String(),
    "records": pl.Int64(),
    "contradictions": pl.Int64(),
}


class Captures:
    """The capture records of a run, as tables of the engine.

    Attributes:
        lines, blank: lines read, counted on the bytes; how many held nothing.
    """

    def __init__(
        self,
        engine: Engine,
        chunks: Iterable[Chunk],
        *,
        max_line_bytes: int = MAX_LINE_BYTES,
        batch_bytes: int = BATCH_BYTES,
        inputs: SlicedInputs | None = None,
        folder: Path | None = None,
        known: Sequence[PlacedShard] = (),
        on_shard: Callable[[PlacedShard], None] | None = None,
    ) -> None:
        """Read every line once; `records`, `rejects` and `duplicates` are readable afterwards.

        Args:
            engine: a fresh one.
            chunks: what was read, failures left out; pulled one at a time, so a generator may
                show progress.
            max_line_bytes: longer lines are rejects.
            batch_bytes: how much is handed to the engine at once; results do not depend on it.
            inputs: what of an input is kept because it is sliced by; None for nothing.
            folder: where parsed lines are written; None for the engine's own.
            known: what was parsed by an earlier run and need not be read again.
            on_shard: told of every shard that is written.
        """
        self._rows = engine
        engine.execute("capture_macros")
        placed = list(known)
        for shard in write_shards(
            engine,
            chunks,
            folder or engine.folder,
            max_line_bytes=max_line_bytes,
            batch_bytes=batch_bytes,
            inputs=inputs,
        ):
            placed.append(shard)
            if on_shard is not None:
                on_shard(shard)
        show_shards(engine, placed)
        self._hold(engine, tallies_by_role(placed))
        engine.keep("capture_duplicates", table="duplicates")
        engine.execute("capture_kept")

    def _hold(self, engine: Asked, tallies: Mapping[Role, ObjectTally]) -> None:
        """Take what was read for the records of this run."""
        self._engine = engine
        self._tallies = tallies
        self._counts = PairingCounts()
        self._fates: list[dict[str, Any]] = []
        total = sum(tallies.values(), ObjectTally())
        self.lines, self.blank = total.lines, total.blank

    def extent(self) -> dict[str, Extent]:
        """Earliest and latest inferenceTime of each role that has records, UTC."""
        rows = self._engine.table("capture_extent").to_pylist()
        return {row["role"]: (_utc(row["first_at"]), _utc(row["last_at"])) for row in rows}

    def pair(self, rules: PairingRules) -> None:
        """Find the record pairs of the whole load; once, before any window."""
        self._counts = find_pairs(self._rows, rules)

    def set_window(self, start: datetime | None, end: datetime | None) -> None:
        """Keep the pairs and unpaired records of a half-open interval; builds table `pairs`.

        May be called again with another interval. None leaves that end open.
        """
        first, last = naive_window(start, end)
        self._engine.reduce("capture_fate_counts", start=first, end=last)
        self._fates = self._engine.table("capture_fates").to_pylist()
        keep_pairs(self._rows, first, last)
        self._rows.keep("repeated_inputs", replace=True)
        self._engine.reduce("pairing_counts")
        self._engine.reduce("pair_skews")

    def facts(self, object_keys: Mapping[int, str], *, same_objects: bool) -> CaptureFacts:
        """What the captures of the window gave.

        Args:
            object_keys: object_id of every chunk -> the key to show for it.
            same_objects: whether both roles were read from the same objects.

        Returns:
            Facts with the tables ledger, capture_hours, rejects and pairing_facts.

        Raises:
            AnalyzerError: `ledger-unbalanced`: a line was lost or counted twice.
        """
        fates = self._fates
        facts = self._engine.table("pairing_facts")
        row = facts.to_pylist()[0]
        ledger = self._ledger(fates, row["pairs"])
        inside = {
            role: [fate for fate in _of(fates, role) if fate["fate"] in {"paired", "unpaired"}]
            for role in ("production", "shadow")
        }
        records = {role: sum(fate["records"] for fate in met) for role, met in inside.items()}
        dated = all(records.values())
        return CaptureFacts(
            ledger=ledger,
            pairing=self._pairing(row, records["shadow"]),
            contradictions=sum(fate["contradictions"] for fate in fates),
            production_records=records["production"],
            shadow_records=records["shadow"],
            same_objects=same_objects,
            first_at=_per_role(inside, "first_at", min) if dated else None,
            last_at=_per_role(inside, "last_at", max) if dated else None,
            tables={
                "ledger": _ledger_table(ledger),
                "capture_hours": self._hours(),
                "rejects": self._rejects(object_keys),
                "pairing_facts": facts,
            },
        )

    def digest(self) -> tuple[str, int]:
        """sha256 over the lines as a set of each role, and their bytes without terminators.

        The order of files and lines, gzip, CRLF and blank lines change neither.
        """
        text = "".join(
            f"{role} {tally.lines - tally.blank} {tally.hash_sum} {tally.hash_product_sum}\n"
            for role, tally in sorted(self._tallies.items())
            if tally.lines > tally.blank
        )
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        return digest, sum(tally.line_bytes for tally in self._tallies.values())

    def notes(self) -> tuple[Note, ...]:
        """Caveats about the records as a whole."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[Note]:
        naive = self._engine.table("capture_without_zone")["records"][0].as_py()
        if naive:
            text = f"inferenceTime without a time zone in {counted(naive, 'record')}; taken as UTC"
            yield Note(code="naive-time", text=text)
        production, shadow = (self._tallies.get(role) for role in ROLES)
        # Not a gate: that both variants' records of a request share their event ID and its second
        # is neither promised nor excluded.
        if production is not None and production == shadow:
            yield Note(
                code="same-lines",
                text="both variants' captures hold the same lines to the byte, times and event IDs "
                "too: one may be a copy of the other, and then nothing was compared",
            )

    def _ledger(self, fates: list[dict[str, Any]], pairs: int) -> Ledger:
        codes = {
            row["code"]: row["lines"]
            for row in self._engine.table("capture_reject_codes").to_pylist()
        }
        ledger = Ledger(
            lines=self.lines,
            blank=self.blank,
            malformed=sum(n for code, n in codes.items() if code.startswith("malformed.")),
            not_capture=sum(n for code, n in codes.items() if code.startswith("not_capture.")),
            out_of_window=_records(fates, "out_of_window"),
            duplicate=_records(fates, "duplicate"),
            unpaired_production=_records(_of(fates, "production"), "unpaired"),
            unpaired_shadow=_records(_of(fates, "shadow"), "unpaired"),
            pairs=pairs,
            rejects_by_code=codes,
        )
        if ledger.accounted != ledger.lines:
            raise AnalyzerError(
                f"{grouped(ledger.lines)} lines were read and {grouped(ledger.accounted)} are "
                "accounted for; this is a bug: please report it",
                code="ledger-unbalanced",
            )
        return ledger

    def _pairing(self, facts: dict[str, Any], shadow_records: int) -> Pairing:
        return Pairing(
            by_inference_id=facts["by_inference_id"],
            by_event_id=facts["by_event_id"],
            by_payload=facts["by_payload"],
            repeated_ids=self._counts.repeated_ids,
            rate=facts["pairs"] / shadow_records if shadow_records else None,
            event_id_overlap=self._counts.event_id_overlap,
            distinct_inputs=facts["distinct_inputs"],
        )

    def _hours(self) -> pa.Table:
        fates = pl.DataFrame(self._fates, schema=_FATES, orient="row")
        with self._engine.lend(capture_fates=fates.to_arrow()):
            return self._engine.table("capture_hours")

    def _rejects(self, object_keys: Mapping[int, str]) -> pa.Table:
        objects = pl.DataFrame(
            {"object_id": list(object_keys), "object_key": list(object_keys.values())},
            schema={"object_id": pl.Int64, "object_key": pl.String},
        )
        with self._engine.lend(objects=objects.to_arrow()):
            return self._engine.table("capture_rejects_listed")


def _of(fates: list[dict[str, Any]], role: str) -> list[dict[str, Any]]:
    return [fate for fate in fates if fate["role"] == role]


def _records(fates: list[dict[str, Any]], fate: str) -> int:
    return sum(row["records"] for row in fates if row["fate"] == fate)


def _per_role(
    inside: Mapping[str, list[dict[str, Any]]],
    column: str,
    extreme: Callable[[Iterable[datetime]], datetime],
) -> tuple[datetime, datetime]:
    """A column's extreme for (production, shadow)."""
    production, shadow = (
        _utc(extreme(fate[column] for fate in inside[role])) for role in ("production", "shadow")
    )
    return production, shadow


def _ledger_table(ledger: Ledger) -> pa.Table:
    """Steps in the order a line meets them; lines in pairs, so that the rows add up."""
    lines = {
        "blank": ledger.blank,
        "malformed": ledger.malformed,
        "not_capture": ledger.not_capture,
        "out_of_window": ledger.out_of_window,
        "duplicate": ledger.duplicate,
        "unpaired_production": ledger.unpaired_production,
        "unpaired_shadow": ledger.unpaired_shadow,
        "paired": 2 * ledger.pairs,
    }
    return pl.DataFrame({"step": list(lines), "lines": list(lines.values())}).to_arrow()


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
