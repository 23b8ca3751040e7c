"""The report behind a guard: `streamlit run app/serve.py -- BUNDLE`.

In: requests to this machine by its own name. Out: the report application, told to load nothing from
elsewhere. A page of another site that points its own name at 127.0.0.1 is answered 421, so it
cannot read a report that is open in the same browser.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


def page_scripts(page: str) -> str:
    """CSP sources for the inline scripts of Streamlit's own page, whatever its version writes.

    >>> page_scripts("<script>let a = 1</script><script src='./a.js'></script>")
    "'sha256-LAfYd7pbFUgwfQu8b4q135PeTG2z+/coPEUYCd74eCQ='"
    """
    inline = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in inline)
    return " ".join(f"'sha256-{digest.decode()}'" for digest in digests)


# Half of what the first reader would wait for: imported before anybody is served.
IMPORTED = tuple(
    import_module(name)
    for name in (
        "numpy",
        "pandas",
        "analyzer.bundle",
        "analyzer.report.charts",
        "analyzer.report.content",
    )
)
PAGE = Path(st.__file__).parent / "static" / "index.html"
# Vega compiles its expressions, hence unsafe-eval; Streamlit writes style elements.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval' "
        f"{page_scripts(PAGE.read_text(encoding='utf-8'))}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' ws://127.0.0.1:* ws://localhost:*; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """Refuses foreign Host headers, HTTP and websocket alike, and adds `HEADERS`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on with headers."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        if not known_host(Headers(scope=scope).get("host", "")):
            await _refuse(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_guarded)


def known_host(host: str) -> bool:
    """True for this machine's own names, with any port.

    >>> known_host("127.0.0.1:8501"), known_host("[::1]:8501"), known_host("127.0.0.1.evil.test")
    (True, True, False)
    """
    name, _, port = host.rpartition(":")
    return host in HOSTS or (name in HOSTS and port.isdecimal())


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    text = "This report answers to 127.0.0.1 and localhost only.\n"
    await PlainTextResponse(text, status_code=421)(scope, receive, send)


app = st.App("report.py", middleware=[Middleware(Guard)])
