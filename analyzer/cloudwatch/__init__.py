"""CloudWatch metrics as people export them, read into one canonical table of points.

Shapes: this project's metric rows (`metric_rows`), metric streams, get-metric-data with its queries
file and get-metric-statistics (`json_shapes`), and wide CSV (`wide_csv`). `naming` finds a series'
variant where the shape has no field for it, `placing` decides which series are wanted, `selection`
makes the table, whatever had to be assumed is a note
(`remarks`), and so is what was dropped and may hide evidence (`dropped`).
"""

from analyzer.cloudwatch.dropped import dropped_notes
from analyzer.cloudwatch.exports import Exports, endpoint_files, open_exports, read_exports
from analyzer.cloudwatch.selection import POINT_SCHEMA, MetricExport

__all__ = [
    "POINT_SCHEMA",
    "Exports",
    "MetricExport",
    "dropped_notes",
    "endpoint_files",
    "open_exports",
    "read_exports",
]
