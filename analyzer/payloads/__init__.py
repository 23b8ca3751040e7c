"""From captured outputs to compared predictions.

`decoding` reads one output in Python: the sample a shape is detected from, and the binary outputs
that SQL cannot read. `shape` decides what a prediction is: kind and place. `comparison` runs the
SQL that decodes in bulk, compares row by row and reduces to small tables. Out: pairing, and what
any of the numbers mean for a verdict.
"""

from __future__ import annotations

from analyzer.payloads.comparison import prepare
from analyzer.payloads.shape import OutputShape, detect

__all__ = ["OutputShape", "detect", "prepare"]
