"""How many random examples a test tries: a slice of them, or with `--long` the whole."""

from __future__ import annotations

_tried = {"whole": False}


def try_all_examples() -> None:
    """From now on; called before any test module is read."""
    _tried["whole"] = True


def examples(by_default: int, *, whole: int) -> int:
    """So many by default, and `whole` with `--long`: for hypothesis, seeds, worlds or mutations."""
    return whole if _tried["whole"] else by_default
