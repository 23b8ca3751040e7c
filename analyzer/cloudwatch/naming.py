"""What a free text says about a series: query ids, labels, CSV headers and file names.

In: finding a metric, a statistic, a period, a unit, a variant or a role in words people and
exporters choose, such as `prod_ModelLatency_p99` or `shadow-5xx-300s.json`. Out: anything that
the export says in a field of its own. Whatever could be meant in two ways is not found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from analyzer.cloudwatch.vocabulary import KNOWN, statistic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Found = TypeVar("Found")

PRODUCTION, SHADOW = "production", "shadow"
ROLE_WORDS = {"production": PRODUCTION, "prod": PRODUCTION, "shadow": SHADOW}

_MINUTE, _DAY = 60, 86_400
_METRIC = re.compile(
    "|".join(sorted((re.escape(name) for name in KNOWN), key=len, reverse=True)), re.IGNORECASE
)
_METRIC_BY_LOWER = {name.lower(): name for name in KNOWN}
_WORD = re.compile(r"(?:TM|WM)\([^()]*\)|(?:p|tm|wm)\d{1,2}\.\d{1,2}|[a-z0-9%µ]+", re.IGNORECASE)
# An id cannot hold a dot: `p99_9` is p99.9, while `p99_300` is p99 every 300 s.
_SPLIT_DECIMAL = re.compile(r"(?<![A-Za-z])((?:p|tm|wm)\d{1,2})_(\d)(?!\d)", re.IGNORECASE)
_SPLIT_COUNT = re.compile(r"sample[ _-]count", re.IGNORECASE)
_SECONDS = re.compile(r"(\d{1,6})s?", re.IGNORECASE)
_UNITS = {
    "us": "Microseconds",
    "µs": "Microseconds",
    "microseconds": "Microseconds",
    "ms": "Milliseconds",
    "milliseconds": "Milliseconds",
    "seconds": "Seconds",
    "percent": "Percent",
    "%": "Percent",
}


@dataclass(frozen=True)
class Named:
    """What a text says of a series; None where it is silent or ambiguous."""

    metric_name: str | None = None
    stat: str | None = None
    period_s: int | None = None
    unit: str | None = None


@lru_cache(maxsize=4096)
def named(text: str) -> Named:
    """What `text` says of a series; a statistic is looked for behind the metric's name first.

    >>> named("prod_ModelLatency_p99_300")
    Named(metric_name='ModelLatency', stat='p99', period_s=300, unit=None)
    """
    metrics = {_METRIC_BY_LOWER[match.group().lower()] for match in _METRIC.finditer(text)}
    found = _METRIC.search(text)
    before, after = (text[: found.start()], text[found.end() :]) if found else ("", text)
    head, tail = _words(before), _words(after)
    return Named(
        metric_name=metrics.pop() if len(metrics) == 1 else None,
        stat=_last(tail, statistic) or _last(head, statistic),
        period_s=_last(tail, _period) or _last(head, _period),
        unit=_last(tail, lambda word: _UNITS.get(word.lower())),
    )


def _words(text: str) -> list[str]:
    joined = _SPLIT_COUNT.sub("SampleCount", text)
    return _WORD.findall(_SPLIT_DECIMAL.sub(r"\1.\2", joined))


def _last(words: list[str], meaning: Callable[[str], Found | None]) -> Found | None:
    return next((found for word in reversed(words) if (found := meaning(word))), None)


def _period(word: str) -> int | None:
    """A period CloudWatch can have, so that a date or a number of requests is not taken for one."""
    match = _SECONDS.fullmatch(word)
    seconds = int(match[1]) if match else 0
    whole = seconds >= _MINUTE and seconds % _MINUTE == 0 and _DAY % seconds == 0
    return seconds if whole else None


@lru_cache(maxsize=4096)
def _bounded(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", re.IGNORECASE)


def role_of(text: str, variants: Mapping[str, str]) -> str | None:
    """The one role `text` names, by a variant's name or else by a role word.

    Longer names are looked for first, so `model-v1-shadow` is never also `model-v1`.

    Args:
        text: an id, a label, a column header, a file name, or a folder's name with a final `/`,
            which must be nothing but the name: `shadow/`, not `shadow-test/`.
        variants: role -> variant name, as far as known.
    """
    if text.endswith("/"):
        folder = text[:-1]
        same = {role for role, name in variants.items() if name == folder}
        return same.pop() if len(same) == 1 else ROLE_WORDS.get(folder.lower())
    rest = _METRIC.sub(" ", text)
    roles = set()
    for role, name in sorted(variants.items(), key=lambda item: (-len(item[1]), item)):
        shorter = _bounded(name).sub(" ", rest)
        if shorter != rest:
            roles.add(role)
            rest = shorter
    if not roles:
        roles = {role for word, role in ROLE_WORDS.items() if _bounded(word).search(rest)}
    return roles.pop() if len(roles) == 1 else None
