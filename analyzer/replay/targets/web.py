"""A web server with the SageMaker container's face: POST /invocations, GET /ping.

In: one request sent once over a connection that is kept, and every way that can fail. Out: when to
send. The standard library's client is used: it follows no redirect, retries nothing, knows no
proxy, and costs half the processor time of urllib3 a request, which is time that would be taken
for the candidate's.

Source: SageMaker developer guide, "Use Your Own Inference Code with Hosting Services".
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from analyzer.errors import AccessError, UsageError
from analyzer.replay.targets.target import MOST_BYTES, OK, TIMEOUT_S, Answer
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from analyzer.replay.requests import Request

    Address = tuple[str, int]

PING_TIMEOUT_S = 2.0
_INVOCATIONS, _PING = "/invocations", "/ping"
_PORTS = {"http": 80, "https": 443}
_INSTANCE_SERVICES = ipaddress.ip_network("fd00:ec2::/32")
"""Metadata, name and time service of an EC2 instance over IPv6."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses behind a translator (RFC 6052, section 2.1)."""
_MOST_TYPE = 256


class WebServer:
    """A server named by its URL; the address behind the name is looked up once and kept.

    Args:
        url: scheme, host, port and what stands before `/invocations`.
        flag: for messages.
        allow_insecure: whether http may go to another machine.

    Raises:
        UsageError: a URL that is none, with credentials or a query, of an address that belongs
            to the machine's own surroundings (link-local), or http to another machine.
        AccessError: the host is not known.
    """

    def __init__(
        self, url: str, flag: str, *, allow_insecure: bool, timeout_s: float = TIMEOUT_S
    ) -> None:
        where = f"{flag} {printable(url)}"
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS[parts.scheme]
        except ValueError as error:
            raise UsageError(f"{flag}: {printable(str(error))}") from None
        if parts.username is not None or parts.password is not None:
            raise UsageError(f"{flag}: credentials in a URL end up in logs; none are sent")
        if not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"{flag}: expected such as http://127.0.0.1:8080, and no query")
        # The library refuses them as the request is sent, or drops them from the URL.
        if not parts.path.isascii() or any(char <= " " or char == "\x7f" for char in url):
            raise UsageError(
                f"{flag}: a space, a control character or a letter beyond ASCII in the path of a "
                "URL must be percent-encoded"
            )
        self._where = where
        self._host, self._port = parts.hostname, port
        self._base = parts.path.rstrip("/").removesuffix(_INVOCATIONS)
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._addresses = self._looked_up()
        self._refuse_foreign(allow_insecure=allow_insecure or self._tls is not None)
        self._idle: deque[_Connection] = deque()
        self._busy: dict[int, _Connection] = {}

    def check(self) -> None:
        """Ask `/ping`; of a name with several addresses the first that answers is kept."""
        complaints = []
        for address in self._addresses:
            connection = self._connection(address, PING_TIMEOUT_S)
            try:
                connection.request("GET", self._base + _PING)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                complaints.append(_said(error))
                continue
            finally:
                connection.close()
            if status not in OK:
                raise AccessError(
                    f"{self._where}: {_PING} answered {status}; it must answer 200 before "
                    "anything is sent"
                )
            self._addresses = [address]
            return
        raise AccessError(f"{self._where}: {_PING}: {'; '.join(dict.fromkeys(complaints))}")

    def send(self, request: Request) -> Answer:
        """Send a request once; a broken connection is its outcome and not tried again."""
        optional = {
            "Accept": request.accept,
            "X-Amzn-SageMaker-Inference-Id": request.inference_id,
            "X-Amzn-SageMaker-Custom-Attributes": request.custom_attributes,
        }
        headers = {"Content-Type": request.content_type}
        headers |= {name: value for name, value in optional.items() if value is not None}
        connection = self._take()
        connection.started_s = time.monotonic()
        self._busy[id(connection)] = connection
        try:
            connection.request("POST", self._base + _INVOCATIONS, request.body, headers)
            response = connection.getresponse()
            first_byte_s = time.monotonic()
            body = response.read(MOST_BYTES + 1)
            if response.length and len(body) <= MOST_BYTES:  # it says nothing of an early end
                raise http.client.IncompleteRead(body, response.length)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            code = _code(error) if not connection.expired else "timeout"
            said = _said(error) if code != "timeout" else f"no answer in {self._timeout_s:g} s"
            return Answer(time.monotonic(), error_code=code, error_text=said)
        finally:
            del self._busy[id(connection)]
        done_s = time.monotonic()
        kept = response.isclosed() and not response.will_close
        if kept:
            self._idle.append(connection)
        else:
            connection.close()
        return _answer(response, body, first_byte_s, done_s)

    def expire(self, now_s: float) -> None:
        """Cut connections on which an answer trickles in for longer than is granted."""
        for connection in list(self._busy.values()):
            if now_s - connection.started_s > self._timeout_s:
                connection.cut()

    def close(self) -> None:
        """Cut connections in use and close the others."""
        for connection in list(self._busy.values()):
            connection.cut()
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> _Connection:
        """The connection used last, if the server has kept it open; else a new one."""
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connection(self._addresses[0], self._timeout_s)
            if connection.is_open():
                return connection
            connection.close()

    def _connection(self, address: Address, timeout_s: float) -> _Connection:
        return _Connection(self._host, self._port, address, timeout_s, self._tls)

    def _looked_up(self) -> list[Address]:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise AccessError(f"{self._where}: {_said(error)}") from None
        return list(dict.fromkeys((str(one[4][0]), self._port) for one in found))

    def _refuse_foreign(self, *, allow_insecure: bool) -> None:
        """Refuse addresses where no model is served, and plain http to another machine."""
        for text, _ in self._addresses:
            found = ipaddress.ip_address(text.partition("%")[0])
            address = getattr(found, "ipv4_mapped", None) or found
            reached = _reached(address)
            if reached.is_link_local or reached in _INSTANCE_SERVICES:
                raise UsageError(
                    f"{self._where}: {text} is link-local, where machines keep their credentials; "
                    "nothing is sent there"
                )
            if reached.is_multicast or reached.is_unspecified:
                raise UsageError(f"{self._where}: {text} is no server's address")
            # A tunnel leaves this machine, whatever is at its other end.
            if not (allow_insecure or address.is_loopback):
                raise UsageError(
                    f"{self._where}: captured requests would leave this machine unencrypted; use "
                    "https, or --allow-insecure"
                )


class _Connection(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to meanwhile.

    Attributes:
        started_s: when the request under way began.
        expired: whether it was cut.
    """

    def __init__(
        self,
        host: str,
        port: int,
        address: Address,
        timeout_s: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self.started_s = 0.0
        self.expired = False
        self._address = address
        self._tls = tls
        # What `Host` leaves out: the port that goes without saying.
        self.default_port = _PORTS["http" if tls is None else "https"]

    def connect(self) -> None:
        """Connect to the address that was checked."""
        sock = socket.create_connection(self._address, self.timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = (
            sock if self._tls is None else self._tls.wrap_socket(sock, server_hostname=self.host)
        )

    def is_open(self) -> bool:
        """Whether the server has said nothing since the last answer; closing says something."""
        if self.sock is None:
            return False
        self.sock.settimeout(0)
        try:
            self.sock.recv(1, *(() if self._tls else (socket.MSG_PEEK,)))
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        else:
            return False
        finally:
            self.sock.settimeout(self.timeout)

    def cut(self) -> None:
        """End it from another thread: who waits for it is told at once."""
        self.expired = True
        sock = self.sock
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def _reached(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address at the other end of a tunnel (6to4) or translator; else the address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        return address.sixtofour or address
    return address


def _answer(
    response: http.client.HTTPResponse, body: bytes, first_byte_s: float, done_s: float
) -> Answer:
    status = response.status
    if status not in OK:
        text = f"status {status}"
        if status in range(300, 400):
            text += "; redirects are not followed"
        return Answer(done_s, first_byte_s, status, error_code="status", error_text=text)
    if len(body) > MOST_BYTES:
        text = f"more than {MOST_BYTES} bytes"
        return Answer(done_s, first_byte_s, status, error_code="too-large", error_text=text)
    kind = response.headers.get("Content-Type")
    shown = None if kind is None else printable(kind)[:_MOST_TYPE]
    return Answer(done_s, first_byte_s, status, shown, body)


def _code(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, OSError | http.client.IncompleteRead):
        return "connection"
    return "bad-answer"


def _said(error: Exception) -> str:
    """What went wrong, in the system's words or by its name; no text the server chose."""
    if isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return "the server closed the connection before the answer was complete"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: {error.verify_message}"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return type(error).__name__
