"""CloudWatch metrics of a live endpoint, written as the export a verdict reads best.

`asking` says which series and which spans, `fetching` asks CloudWatch for them, `describing` asks
SageMaker what the endpoint is, `writing` makes the files. Out: reading an export (`cloudwatch`) and
judging it (`metrics`).
"""

from analyzer.metric_export.writing import Exported, export_metrics

__all__ = ["Exported", "export_metrics"]
