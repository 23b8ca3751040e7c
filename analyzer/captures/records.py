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

from analyzer.captures.lines import split
from analyzer.captures.pairing import PairingCounts, find_pairs
from analyzer.errors import AnalyzerError
from analyzer.figures import counted, grouped
from analyzer.metrics.metric import CaptureFacts
from analyzer.model import Ledger, Note, Pairing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

    from analyzer.engine import Engine
    from analyzer.policy import PairingRules
    from analyzer.sources.objects import Chunk

BATCH_BYTES = 16 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024

Extent = tuple[datetime, datetime]


class Captures:
    """The capture records of a run, inside the engine.

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
    ) -> None:
        """Read every line once; `records`, `rejects` and `duplicates` are filled afterwards.

        Args:
            engine: a fresh one.
            chunks: what was read, failures left out; pulled one at a time, so a generator may
                show progress.
            max_line_bytes: longer lines are rejects.
            batch_bytes: how much is handed to the engine at once; results do not depend on it.
        """
        self._engine = engine
        self._counts = PairingCounts()
        self.lines = 0
        self.blank = 0
        engine.execute("capture_tables")
        for batch in _coalesced(chunks, batch_bytes):
            self._load(batch, max_line_bytes)
        engine.execute("capture_duplicates")

    def extent(self) -> dict[str, Extent]:
        """Earliest and latest inferenceTime of each role that has records, UTC."""
        rows = self._engine.table("capture_extent").to_pylist()
        return {row["role"]: (_utc(row["first_at"]), _utc(row["last_at"])) for row in rows}

    def pair(self, rules: PairingRules) -> None:
        """Find the record pairs of the whole load; once, before any window."""
        self._counts = find_pairs(self._engine, rules)

    def set_window(self, start: datetime | None, end: datetime | None) -> None:
        """Keep the pairs and unpaired records of a half-open interval; builds table `pairs`.

        May be called again with another interval. None leaves that end open.
        """
        self._engine.execute(
            "record_fates",
            start=_naive(start or datetime.min.replace(tzinfo=UTC)),
            end=_naive(end or datetime.max.replace(tzinfo=UTC)),
        )
        self._engine.execute("pairs")

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
        fates = self._engine.table("capture_fates").to_pylist()
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
            production_records=records["production"],
            shadow_records=records["shadow"],
            same_objects=same_objects,
            first_at=_per_role(inside, "first_at", min) if dated else None,
            last_at=_per_role(inside, "last_at", max) if dated else None,
            tables={
                "ledger": _ledger_table(ledger),
                "capture_hours": self._engine.table("capture_hours"),
                "rejects": self._rejects(object_keys),
                "pairing_facts": facts,
            },
        )

    def digest(self) -> tuple[str, int]:
        """sha256 over the lines as a set of each role, and their bytes without terminators.

        The order of files and lines, gzip, CRLF and blank lines change neither.
        """
        rows = self._engine.table("capture_digest").to_pylist()
        text = "".join(
            f"{row['role']} {row['lines']} {row['upper_sum']} {row['lower_sum']}\n" for row in rows
        )
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        return digest, sum(row["line_bytes"] for row in rows)

    def notes(self) -> tuple[Note, ...]:
        """Caveats about the records as a whole; after `set_window`."""
        fates = self._engine.table("capture_fates").to_pylist()
        naive = sum(fate["without_time_zone"] for fate in fates)
        if not naive:
            return ()
        text = f"inferenceTime without a time zone in {counted(naive, 'record')}; taken as UTC"
        return (Note(code="naive-time", text=text),)

    def _load(self, batch: list[Chunk], max_line_bytes: int) -> None:
        parts = split(batch, max_line_bytes)
        with self._engine.lend(
            lines=parts.lines, undecodable=parts.undecodable, oversize=parts.oversize
        ):
            usable = self._engine.execute("capture_records")
            if usable < parts.lines.num_rows:
                self._engine.execute("capture_rejects")
            if parts.undecodable.num_rows:
                self._engine.execute("capture_undecodable")
            if parts.oversize.num_rows:
                self._engine.execute("capture_oversize")
        self.lines += parts.counted
        self.blank += parts.blank

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

    def _rejects(self, object_keys: Mapping[int, str]) -> pa.Table:
        objects = pl.DataFrame(
            {"object_id": list(object_keys), "object_key": list(object_keys.values())},
            schema={"object_id": pl.Int64, "object_key": pl.String},
        )
        with self._engine.lend(objects=objects.to_arrow()):
            return self._engine.table("capture_rejects_listed")


def _coalesced(chunks: Iterable[Chunk], batch_bytes: int) -> Iterator[list[Chunk]]:
    """Small chunks together, so that many small objects cost no more than one large one."""
    batch: list[Chunk] = []
    held = 0
    for chunk in chunks:
        batch.append(chunk)
        held += len(chunk.data)
        if held >= batch_bytes:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


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


def _naive(moment: datetime) -> datetime:
    """The engine's timestamps are UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None)
