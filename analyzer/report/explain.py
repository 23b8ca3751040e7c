"""`analyzer explain`: what any word or code of a verdict is, and what to do about it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from analyzer.errors import UsageError
from analyzer.gates import BY_ID as GATES
from analyzer.metrics import BY_ID as METRICS
from analyzer.metrics.divergence import FLOORED
from analyzer.metrics.floor import METHOD as ABOVE_FLOOR
from analyzer.report.assumptions import GATE_ASSUMPTIONS, METHOD_ASSUMPTIONS
from analyzer.report.note_codes import NOTE_CODES
from analyzer.report.policy_words import VALUES
from analyzer.report.words import WORDS

if TYPE_CHECKING:
    from analyzer.metrics.metric import Metric

_SUFFIXES = ("-regression", "-unresolved", "-review")
_EXPLAIN_GATE = "gate-"
_OBJECT = "object-"
_NEAR = 0.75
"""Likeness of what may have been meant; at 0.6, nonsense is like one-answer."""


def explanation(code: str) -> str:
    """Everything known about a metric, gate, note, word or value of a policy, or reason's code.

    Raises:
        UsageError: unknown code; names the nearest known one.
    """
    key = _key(code)
    if key in METRICS:
        return _metric(key) + _ending(code)
    if key in GATES:
        return _gate(key)
    bare = code.removeprefix(_OBJECT)
    plain = code.lower().replace("-", "_")
    for table, word in ((WORDS, plain), (VALUES, plain), (NOTE_CODES, bare)):
        if word in table:
            meaning, advice = table[word]
            return f"{code}: {meaning}\n  what to do      {advice}\n"
    words = [*METRICS, *GATES, *WORDS, *VALUES]
    near = difflib.get_close_matches(key, words, n=1, cutoff=_NEAR)
    near = near or difflib.get_close_matches(bare, list(NOTE_CODES), n=1, cutoff=_NEAR)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    known = ", ".join(words) + ", and the code of every note"
    raise UsageError(f"explain {code}: unknown{hint}\nknown: {known}")


def _key(code: str) -> str:
    bare = code.removeprefix(_EXPLAIN_GATE)
    for suffix in _SUFFIXES:
        bare = bare.removesuffix(suffix)
    return bare.replace("-", "_")


def _ending(code: str) -> str:
    """What the ending of a reason's code says; nothing for a bare metric id."""
    for suffix in _SUFFIXES:
        if code.endswith(suffix):
            return f"  {suffix:<14}  {WORDS[suffix[1:]][0]}\n"
    return ""


def _metric(key: str) -> str:
    metric = METRICS[key]
    default = metric.default
    margin = "none" if default.margin is None else f"{default.margin:g} ({default.scale})"
    if default.margin_ms is not None:
        margin += f", or +{default.margin_ms:g} ms if larger"
    lines = [
        f"{key}: {metric.title}",
        f"  {metric.meaning}",
        f"  unit            {metric.unit}",
        f"  family          {metric.family}",
        f"  method          {metric.method}",
        f"  source          {metric.source}",
        *_in_replay(metric),
        f"  assumes         {METHOD_ASSUMPTIONS[metric.method]}",
        f"  default margin  {margin}",
        f"  default role    {default.role}{', required' if default.required else ''}",
        f"  what to do      {metric.advice}",
    ]
    if key in FLOORED:
        lines.append(f"  noise floor     {_FLOOR}")
    return "\n".join(lines) + "\n"


def _in_replay(metric: Metric) -> list[str]:
    """What is different about a metric when a replay is judged."""
    if metric.asked_of != "both":
        whose = "a replay" if metric.asked_of == "replay" else "a live endpoint's captures"
        return [f"  asked of        {whose} alone"]
    if metric.in_replay is None:
        return []
    method, source = metric.in_replay
    what = "each request's response time against the baseline's"
    indent = " " * 18
    said = (f"{method}: {source}", f"assumes: {METHOD_ASSUMPTIONS[method]}")
    return [f"  in a replay     {what}", *(f"{indent}{line}" for line in said)]


_FLOOR = (
    "with --noise-floor, judged as what the shadow adds to what production does to itself; "
    f"{ABOVE_FLOOR}: Bonferroni's inequality on both shares' bounds, or for a single look the "
    "score interval of Miettinen and Nurminen, Statistics in Medicine 4:213 (1985)"
)


def _gate(key: str) -> str:
    gate = GATES[key]
    whose = {"both": "", "endpoint": " of a live endpoint", "replay": " of a replay"}
    lines = [
        f"{key}: gate{whose[gate.asked_of]}",
        f"  {gate.meaning}",
        f"  assumes         {GATE_ASSUMPTIONS[key]}",
        f"  what to do      {gate.advice}",
    ]
    return "\n".join(lines) + "\n"
