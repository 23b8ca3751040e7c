"""`analyzer report`: the Streamlit report of a bundle."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.flags import BundleArgument, written
from analyzer.cli.showing import document, shipped
from analyzer.console.process import Interruptible
from analyzer.errors import AccessError, ResourceError, UsageError


def report(
    path: BundleArgument,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65_535)] = 8501,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write the static report to this file instead.",
            callback=written("the report", file=True),
        ),
    ] = None,
) -> None:
    """Open the Streamlit report of one bundle or a folder, or write it."""
    import subprocess

    from analyzer import bundle

    if html is not None:
        opened = bundle.read(path)
        if html.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"--html {html}: lies in the bundle, which may not change")
        try:
            html.write_text(document(opened.verdict, opened.tables), encoding="utf-8")
        except OSError as error:
            raise ResourceError(f"--html {html}: cannot be written: {error.strerror}") from None
        return
    if bundle.found(path) == (path,):
        bundle.read(path)
    _require_free(port)
    folder = shipped("app", "_app")
    command = [sys.executable, "-m", "streamlit", "run", "serve.py"]
    command += ["--server.port", str(port), "--", str(path.resolve())]
    print(f"http://127.0.0.1:{port}", file=sys.stderr)
    # The command is our own script; the bundle's path is passed as one argument, never by a shell.
    with Interruptible():
        done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def _require_free(port: int) -> None:
    """Refuse a port nobody could listen on before its address is printed."""
    import socket

    with socket.socket() as probe:
        # As the server does: a connection that has just ended does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            what = "in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise AccessError(f"--port {port}: {what}") from None
