"""`analyzer policy`: the default policy with its meaning, or a file checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.flags import read


def policy(
    path: Annotated[
        Path | None,
        typer.Argument(help="A policy.toml to check.", callback=read("a policy", file=True)),
    ] = None,
) -> None:
    """Print the default policy with its meaning, or check a file."""
    from analyzer.metrics import DEFAULTS
    from analyzer.policy import text as policy_text
    from analyzer.policy.files import load_policy

    if path is None:
        print(policy_text.commented(DEFAULTS), end="")
        return
    load_policy(path, DEFAULTS)
    print(f"{path}: valid")
