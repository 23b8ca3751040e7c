"""The queries file beside a get-metric-data answer: which id asked for which series.

In: `MetricDataQueries` as `aws cloudwatch get-metric-data --metric-data-queries file://...` takes
them. Out: the answers themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analyzer.cloudwatch.metric_rows import dimensions_of
from analyzer.cloudwatch.reading import Series, period_of, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analyzer.cloudwatch.json_shapes import Queries

_ENDING = "queries"


def is_queries_file(path: Path) -> bool:
    """Whether a file's name says it holds queries: `queries.json`, `p99-queries.json`."""
    return path.suffix == ".json" and path.stem.lower().endswith(_ENDING)


def queries_beside(path: Path) -> Queries:
    """What the queries file beside an answer says; {} when there is none that can be read.

    The file of the same stem is taken (`x.json`: `x-queries.json`, `x_queries.json`,
    `x.queries.json`), else `queries.json`, else the folder's only queries file unless that
    belongs to another answer.
    """
    stem = _stem(path)
    names = [f"{stem}{joint}{_ENDING}.json" for joint in "-_."]
    candidates = [path.with_name(name) for name in (*names, f"{_ENDING}.json")]
    found = next((one for one in candidates if one.is_file()), None)
    return _parse(found) if found else _only_other(path)


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _only_other(path: Path) -> Queries:
    beside = sorted(path.parent.iterdir())
    found = [one for one in beside if is_queries_file(one)]
    if len(found) != 1:
        return {}
    owner = found[0].stem[: -len(_ENDING)].rstrip("-_.")
    owned = any(_stem(one) == owner for one in beside if one != found[0])
    return {} if owned else _parse(found[0])


def _parse(path: Path) -> Queries:
    """Id -> series. A file that is no queries file says nothing: its ids then stay unnamed."""
    try:
        body = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    listed = body.get("MetricDataQueries") if isinstance(body, dict) else body
    queries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return {str(one.get("Id")): _series(one.get("MetricStat")) for one in queries}


def _series(metric_stat: object) -> Series | None:
    if not isinstance(metric_stat, dict):
        return None
    metric: Mapping[str, object] = metric_stat.get("Metric") or {}
    if not isinstance(metric, dict):
        return None
    endpoint, variant, state = dimensions_of(metric.get("Dimensions", []))
    return Series(
        metric_name=text_of(metric.get("MetricName")) or "",
        stat=text_of(metric_stat.get("Stat")) or "",
        namespace=text_of(metric.get("Namespace")),
        endpoint=endpoint,
        variant=variant,
        dimensions=state,
        period_s=period_of(metric_stat.get("Period")),
        unit=text_of(metric_stat.get("Unit")),
    )
