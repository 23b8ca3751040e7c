"""Options shared by the suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the scenarios' expected verdicts"
    )
    parser.addoption("--long", action="store_true", help="run the suites marked long as well")


def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="a long suite; run with --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)
