"""`analyzer explain`: what a metric, gate or code means and what to do."""

from __future__ import annotations

from typing import Annotated

import typer


def explain(
    code: Annotated[str, typer.Argument(help="A metric, gate, note or reason code.")],
) -> None:
    """Say what a metric, gate or code means and what to do."""
    from analyzer.report.explain import explanation

    print(explanation(code), end="")
