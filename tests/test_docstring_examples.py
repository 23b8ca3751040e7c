"""The examples in docstrings are true, in every module that has any."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "analyzer").rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


def test_examples_are_found_at_all() -> None:
    assert {"analyzer.figures", "analyzer.stats.ewc", "analyzer.metrics.accuracy"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_give_what_they_show(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
