"""The report on a free port of this machine, and going through it as a reader does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import PATIENCE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SERVE = Path(__file__).parents[2] / "app" / "serve.py"
TABS = ("Verdict", "Latency", "Errors", "Predictions", "Evidence quality")
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def served(path: Path, script: Path = SERVE) -> Iterator[str]:
    """The report on a free port of this machine; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    process = subprocess.Popen(
        [*command, "--", str(path)],
        cwd=path.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def shelf(folder: Path) -> Iterator[Shelf]:
    """The report, of whatever is laid into this folder."""
    link = folder / "shown"
    with served(link) as address:
        yield Shelf(link, address)


@dataclass(frozen=True)
class Shelf:
    """A served path at which one bundle after the other is laid, as new runs are."""

    link: Path
    address: str

    def show(self, bundle: Path) -> str:
        """Lay this one there; gives the address."""
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(bundle)
        return self.address


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the report did not start")


def visit(page: Page, tab: str) -> None:
    """Open a page of the report as a reader does, through the menu."""
    page.get_by_role("link", name=tab, exact=True).first.click()
    page.wait_for_selector(SETTLED)
    if tab != "Verdict":
        page.get_by_role("heading", name=tab, exact=True).wait_for()


def through(page: Page) -> Iterator[str]:
    """Every page in turn, from the one that the address opened; each is drawn when it is named."""
    page.get_by_role("heading", level=1).first.wait_for()
    for tab in TABS:
        if tab != TABS[0]:
            visit(page, tab)
        drawn(page)
        yield tab


def drawn(page: Page) -> None:
    """Wait until every table of the page is there and every chart has its marks."""
    page.wait_for_selector(SETTLED)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".every((chart) => chart.querySelector('svg.marks text'))"
    )
