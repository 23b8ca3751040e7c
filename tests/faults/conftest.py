"""What long suites have reached, said at the end of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str], None]

_REACHED = pytest.StashKey[list[str]]()


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """A line for the end of the run: counts reached and the time they took."""
    return request.config.stash.setdefault(_REACHED, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in terminalreporter.config.stash.get(_REACHED, []):
        terminalreporter.write_line(text)
