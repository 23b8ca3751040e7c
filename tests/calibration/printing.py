"""What the smaller measurements share: how they are asked, and the Markdown they print."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def asked(doc: str | None, *, worlds: int) -> argparse.Namespace:
    """The arguments of a measurement: `worlds` of each row, and `seed`.

    Args:
        doc: the module's docstring, whose first line says what is measured.
        worlds: a row's worlds where the command line says nothing.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--worlds", type=int, default=worlds, help="worlds a row")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def show(given: argparse.Namespace, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """The command that was asked and its table, every row as soon as it is known."""
    name = Path(sys.argv[0]).name
    command = f"python tests/calibration/{name} --worlds {given.worlds} --seed {given.seed}"
    sys.stdout.write(f"`{command}`:\n\n")
    for row in (head, ["-"] * len(head)):
        _write(row)
    for found in rows:
        _write(found)


def _write(row: Sequence[object]) -> None:
    sys.stdout.write(f"| {' | '.join(map(str, row))} |\n")
    sys.stdout.flush()
