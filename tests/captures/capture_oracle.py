"""What captures must give, told the slow way: dictionaries and loops, nothing of the product."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import chain
from typing import Any

Record = dict[str, Any]


def parse(raw: bytes) -> Record | str:
    """The record of a line, or the first word of its reject code."""
    try:
        record = json.loads(raw.decode())
        json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return "malformed"
    capture = record.get("captureData") if isinstance(record, dict) else None
    if not isinstance(capture, dict):
        return "not_capture"
    given, answer = capture.get("endpointInput"), capture.get("endpointOutput")
    about = record.get("eventMetadata")
    try:
        at = datetime.fromisoformat((about or {})["inferenceTime"])
    except (KeyError, ValueError):
        return "not_capture"
    if given is None and answer is None:
        return "not_capture"
    return {
        "event": about.get("eventId") or None,
        "id": about.get("inferenceId") or None,
        "at": at if at.tzinfo else at.replace(tzinfo=UTC),
        "key": key_of(about.get("eventId") or None, raw),
        "input": None if given is None else payload(given),
        "output": None if answer is None else answer["data"],
    }


def key_of(event: str | None, raw: bytes) -> int:
    """An event's identity: its ID, a UUID as such and other text as its digest, or its line's."""
    if event is None:
        return uuid.UUID(bytes=hashlib.md5(raw, usedforsecurity=False).digest()).int
    try:
        known = uuid.UUID(event)
    except ValueError:
        known = None
    if known is not None and str(known) == event:
        return known.int
    return uuid.UUID(bytes=hashlib.md5(event.encode(), usedforsecurity=False).digest()).int


def payload(given: Record) -> bytes:
    if given["encoding"] == "BASE64":
        return base64.b64decode(given["data"])
    return str(given["data"]).encode()


def account(
    objects: list[tuple[str, list[bytes]]], window_s: int = 60
) -> tuple[Counter[str], list[tuple[str, Any, Any]]]:
    """Ledger counts, and (rule, production output, shadow output) of every pair, sorted."""
    ledger: Counter[str] = Counter()
    kept: dict[str, list[Record]] = {"production": [], "shadow": []}
    for role, lines in objects:
        for raw in lines:
            text = raw.strip(b" \t\r\n")
            found = parse(text) if text else "blank"
            if isinstance(found, str):
                ledger[found] += 1
            else:
                kept[role].append(found)
    for role, records in kept.items():
        events: dict[Any, Record] = {}
        for record in sorted(records, key=lambda r: (r["at"], r["output"] is None, r["output"])):
            events.setdefault(record["key"], record)
        ledger["duplicate"] += len(records) - len(events)
        kept[role] = list(events.values())
    pairs = pair(kept["production"], kept["shadow"], window_s)
    ledger["unpaired_production"] = len(kept["production"]) - len(pairs)
    ledger["unpaired_shadow"] = len(kept["shadow"]) - len(pairs)
    ledger["pairs"] = len(pairs)
    return +ledger, sorted((rule, p["output"], s["output"]) for rule, p, s in pairs)


def pair(
    production: list[Record], shadow: list[Record], window_s: int
) -> list[tuple[str, Record, Record]]:
    pairs = []
    for name in {r["id"] for r in production} & {r["id"] for r in shadow} - {None}:
        ours = [r for r in production if r["id"] == name]
        theirs = [r for r in shadow if r["id"] == name]
        found = (
            [(ours[0], theirs[0])]
            if len(ours) == len(theirs) == 1
            else nearest(ours, theirs, window_s)
        )
        pairs += [("inference_id", p, s) for p, s in found]
    events = {r["event"] for r in production} - {None}
    named = [r for r in shadow if r["event"]]
    if named and 2 * sum(r["event"] in events for r in named) >= len(named):
        for p in unpaired(production, pairs):
            for s in unpaired(shadow, pairs):
                ids = {p["id"], s["id"]}
                if p["event"] and p["event"] == s["event"] and (None in ids or len(ids) == 1):
                    pairs.append(("event_id", p, s))
    ours, theirs = (
        [
            r
            for r in unpaired(mine, pairs)
            if r["input"] is not None and not (r["id"] and any(o["id"] for o in other))
        ]
        for mine, other in ((production, shadow), (shadow, production))
    )
    return pairs + [("payload", p, s) for p, s in nearest(ours, theirs, window_s)]


def unpaired(records: list[Record], pairs: list[tuple[str, Record, Record]]) -> list[Record]:
    used = {id(r) for _, p, s in pairs for r in (p, s)}
    return [r for r in records if id(r) not in used]


def nearest(
    production: list[Record], shadow: list[Record], window_s: int
) -> list[tuple[Record, Record]]:
    """Every offset in turn, every second in turn: first come by content."""
    stacks: dict[tuple[str, Any, int], list[Record]] = defaultdict(list)
    for role, records in (("p", production), ("s", shadow)):
        for r in sorted(records, key=lambda r: r["key"]):
            stacks[role, r["input"], int(r["at"].timestamp())].append(r)
    pairs = []
    for offset in chain.from_iterable((d, -d) if d else (0,) for d in range(window_s + 1)):
        for role, key, second in [place for place in stacks if place[0] == "p"]:
            theirs = stacks.get(("s", key, second + offset), [])
            ours = stacks[role, key, second]
            while ours and theirs:
                pairs.append((ours.pop(0), theirs.pop(0)))
    return pairs
