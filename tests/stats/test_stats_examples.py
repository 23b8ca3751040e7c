"""The examples in the docstrings of the statistics are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = (
    "agreement",
    "boundary",
    "effective",
    "error_counts",
    "ewc",
    "log_ratio",
    "missingness",
    "proportion_sequence",
    "proportions",
    "sample_ratio",
)


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_give_what_they_show(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"analyzer.stats.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
