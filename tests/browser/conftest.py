"""One Chromium and one report server for all tests of this folder."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import pytest

from tests.browser.chromium import Window, window
from tests.browser.serving import Shelf, shelf

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Page

    Browse: TypeAlias = Callable[[int, str], AbstractContextManager[tuple[Page, list[str]]]]
    Report: TypeAlias = Callable[[Path], str]

Opened = TypeVar("Opened")
_WINDOW = pytest.StashKey[Window]()
_SHELF = pytest.StashKey[Shelf]()


@pytest.fixture
def browse(request: pytest.FixtureRequest) -> Browse:
    """The window at a width and in a theme, and everything it does that it should not."""
    return _kept(request, _WINDOW, window()).browsing


@pytest.fixture
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The address of the report application, which from now on shows this bundle."""
    return _kept(request, _SHELF, shelf(tmp_path_factory.mktemp("shelf"))).show


def _kept(
    request: pytest.FixtureRequest,
    key: pytest.StashKey[Opened],
    opened: AbstractContextManager[Opened],
) -> Opened:
    """Opened for the first test here that asks; closed before any test of another folder.

    Playwright holds the event loop of this thread as long as it is open.
    """
    folder = request.node.getparent(pytest.Dir)
    if key not in folder.stash:
        held = ExitStack()
        folder.stash[key] = held.enter_context(opened)

        def leave() -> None:
            del folder.stash[key]
            held.close()

        folder.addfinalizer(leave)
    kept: Opened = folder.stash[key]
    return kept
