"""A page of a real Chromium that remembers what it did and should not have done."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Dialog, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
OVERFLOW = "document.documentElement.scrollWidth > window.innerWidth"


@contextmanager
def browsing(width: int, theme: str) -> Iterator[tuple[Page, list[str]]]:
    """A page of a Chromium of its own, and everything it did that it should not."""
    with window() as opened, opened.browsing(width, theme) as seen:
        yield seen


@contextmanager
def window() -> Iterator[Window]:
    """A Chromium of its own, if there is one."""
    if not CHROMIUM.exists():
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail(f"REQUIRE_BROWSER=1 and no {CHROMIUM}")
        pytest.skip(f"no {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield Window(browser)
        browser.close()


class Window:
    """One page of a Chromium, for one reader after the other: its programs are compiled once."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._page: Page | None = None
        self._wrong: list[str] = []

    @contextmanager
    def browsing(self, width: int, theme: str) -> Iterator[tuple[Page, list[str]]]:
        """The page, and everything it did that it should not while this lasts."""
        page = self._page or self._opened()
        # What has failed may have left anything behind: the next reader gets another page.
        self._page, self._wrong = None, []
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        yield page, self._wrong
        page.goto("about:blank")
        self._page = page

    def _opened(self) -> Page:
        page = self._browser.new_context().new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: self._wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self._wrong.append(str(error)))
        page.on("dialog", self._dismissed)
        page.on("request", lambda r: None if _local(r.url) else self._wrong.append(r.url))
        return page

    def _dismissed(self, dialog: Dialog) -> None:
        self._wrong.append(dialog.message)
        dialog.dismiss()


def _local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:"))
