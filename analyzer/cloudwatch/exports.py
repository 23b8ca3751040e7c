"""Opening metric exports of any known shape: which reader a file goes to.

In: paths -> readings, and the three questions others ask of them. Out: the shapes themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.cloudwatch.dropped import refuse_useless
from analyzer.cloudwatch.files import ExportFile, Unreadable, export_files, role_and_path
from analyzer.cloudwatch.json_shapes import read_json
from analyzer.cloudwatch.metric_rows import read_in_bulk
from analyzer.cloudwatch.placing import endpoints_in, variants_in
from analyzer.cloudwatch.queries import is_queries_file, queries_beside
from analyzer.cloudwatch.reading import Collector, Reading
from analyzer.cloudwatch.selection import MetricExport, select
from analyzer.cloudwatch.vocabulary import KNOWN
from analyzer.cloudwatch.wide_csv import read_csv

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ENDPOINT_FILE = "endpoint.json"
_BOM = b"\xef\xbb\xbf"
_JSON_START = re.compile(rb"\s*[{\[]")
_JSON_EXPORT = re.compile(rb'"(?:MetricDataResults|Datapoints|metric_name)"')
_CSV_EXPORT = re.compile("|".join(KNOWN).encode(), re.IGNORECASE)
_EXPECTED = (
    "no metric export: expected metric rows, a metric stream's JSON, the answer of "
    "get-metric-data or get-metric-statistics, or a CSV whose header names metrics"
)


@dataclass(frozen=True)
class Exports:
    """Everything the given paths hold, read once; ask it as often as needed."""

    readings: tuple[Reading, ...]
    paths: tuple[Path, ...] = ()

    def endpoints(self) -> tuple[str, ...]:
        """Every endpoint named by rows of known metrics, sorted."""
        return endpoints_in(self.readings)

    def variants(self, endpoint: str | None = None) -> tuple[str, ...]:
        """Every variant named by rows that could be used (of one endpoint), sorted."""
        return variants_in(self.readings, endpoint)

    def select(self, *, endpoint: str | None, variants: Mapping[str, str]) -> MetricExport:
        """The canonical points of the variants (role -> name); all variants when none is named.

        Raises:
            InputError: a unit contradicts its metric, or two exports disagree about one point.
            UsageError: one role's rows come from several endpoints or variants.
        """
        return select(self.readings, endpoint, variants)

    def require_points(self, export: MetricExport) -> None:
        """Refuse to go on with a path given that adds nothing: its metrics would seem not exported.

        Raises:
            InputError: a path without a usable point; companions of an export need none.
        """
        judged = {
            number: str(path)
            for number, path in enumerate(self.paths)
            if export.points.is_empty() or not _is_companion(role_and_path(path)[1])
        }
        refuse_useless(judged, export.uses)


def open_exports(paths: Sequence[Path]) -> Exports:
    """Read every export of the paths: files, folders, or `role=path`.

    Raises:
        InputError: no such path, or a file named by the user is no export or not valid.
        AccessError: a file named by the user cannot be opened, or a folder not be listed.
    """
    readings = (_read(file) for file in export_files(paths) if not _is_companion(file.path))
    return Exports(tuple(readings), tuple(paths))


def read_exports(
    paths: Sequence[Path], *, endpoint: str | None, variants: Mapping[str, str]
) -> MetricExport:
    """The canonical points of `variants` (role -> name) in the exports; errors of both steps."""
    return open_exports(paths).select(endpoint=endpoint, variants=variants)


def endpoint_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Every endpoint.json that lies in a folder given, at any depth, or beside a file given.

    Raises:
        AccessError: a folder cannot be listed.
        InputError: no such path.
    """
    found = []
    for file in export_files(paths):
        # Beside a folder's file lies what the folder holds anyway.
        path = file.path.with_name(_ENDPOINT_FILE) if file.given else file.path
        if path.name == _ENDPOINT_FILE and file.left_out is None and path.is_file():
            found.append(path)
    return tuple(dict.fromkeys(path.absolute() for path in found))


def _is_companion(path: Path) -> bool:
    """Files that belong beside an export and are no export themselves."""
    return path.name == _ENDPOINT_FILE or is_queries_file(path)


def _read(file: ExportFile) -> Reading:
    collector = Collector(file)
    if file.left_out is not None:
        collector.dropped[file.left_out] += 1
        return collector.reading()
    try:
        head = file.head().removeprefix(_BOM)
        json_start = _JSON_START.match(head)
        if json_start and _JSON_EXPORT.search(head):
            data = file.read()
            bulk = read_in_bulk(data, file)
            return bulk or read_json(data, collector, queries_beside(file.path))
        if not json_start and _CSV_EXPORT.search(head):
            return read_csv(file.read(), collector)
        collector.problem("not-an-export", _EXPECTED)
    except Unreadable as reason:
        collector.problem("unreadable", str(reason))
    return collector.reading()
