"""The report on a free port of this machine, and going through it as a reader does."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import PATIENCE_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

SERVE = Path(__file__).parents[2] / "app" / "serve.py"
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


def drawn(page: Page) -> None:
    """Wait until every table of the page is there and every chart has its marks."""
    page.wait_for_selector(SETTLED)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-testid=stVegaLiteChart]')]"
        ".every((chart) => chart.querySelector('svg.marks text'))"
    )
