"""Options shared by the suite, and what long suites have reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws_models import parsed_once
from tests.examples import try_all_examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Say = Callable[[str], None]

_REACHED = pytest.StashKey[list[str]]()


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """A line for the end of the run: counts reached and the time they took."""
    return request.config.stash.setdefault(_REACHED, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for text in terminalreporter.config.stash.get(_REACHED, []):
        terminalreporter.write_line(text)


@pytest.fixture(scope="session", autouse=True)
def _aws_models() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs that several tests share read nothing of this machine's user either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("shared_cache")))
        yield


@pytest.fixture(autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads what another one, or this machine's user, has parsed before."""
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the scenarios' expected verdicts"
    )
    parser.addoption("--long", action="store_true", help="run the suites marked long as well")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--long"):
        try_all_examples()


def pytest_collection_modifyitems(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="a long suite; run with --long")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)
