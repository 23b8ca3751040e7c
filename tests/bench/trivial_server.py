"""A loopback server that answers every request at once with the same few bytes: PORT.

Nothing is parsed but the length of what was sent, so that the client is what a benchmark measures.
It prints a line when it listens.
"""

from __future__ import annotations

import asyncio
import sys

_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/csv; charset=utf-8\r\nContent-Length: 8\r\n\r\n0.123456"
)
_LENGTH = b"content-length:"


class Answering(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._held = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            _, named, rest = head.partition(_LENGTH)
            length = int(rest.partition(b"\r\n")[0]) if named else 0
            if len(self._held) < end + 4 + length:
                return
            self._held = self._held[end + 4 + length :]
            assert self._transport is not None
            self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", port)
    print("listening", flush=True)  # noqa: T201 - the parent waits for it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
