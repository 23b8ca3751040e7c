"""A captured record -> the request that made it, ready to be sent again.

In: one line of a capture. Out: which requests are sent (`selection`), when, and to whom. Captured
data chooses the body and the headers of the container contract, and nothing else: a value that
cannot stand in a header makes the record a counted reject, never another header.

Source: SageMaker developer guide, "Use Your Own Inference Code with Hosting Services": content
types, Accept, custom attributes (at most 1,024 characters of ASCII); InvokeEndpoint in botocore's
service model: InferenceId.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME = re.compile(
    r"2[01]\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-][01]\d(:?[0-5]\d)?)?", re.ASCII
)
_HEADER = re.compile(r"[\x20-\x7e]*")
_ID = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,63}")
_MOST_ATTRIBUTES = 1024
_MOST_TYPE = 256
_DEFAULT_TYPES = {"CSV": "text/csv", "JSON": "application/json"}
_INPUT = ("observedContentType", "mode", "data", "encoding")
_OWN_IDS = uuid.UUID("5b1d1f7e-2f0c-4a2b-9c56-0b8f6f7f3a10")


class Unsendable(Exception):  # noqa: N818 - no error of the program: one line is no request
    """Why a line gives no request.

    Attributes:
        code: not-json, not-capture, no-input, no-time, bad-payload or bad-header.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Request:
    """One captured request.

    Attributes:
        at_us: when it was captured, microseconds since 1970 UTC.
        time: the same as the record says it.
        event_id: the record's, or one made of its content where it has none.
        inference_id: None where the client set none.
        attributes: the custom attributes as the record holds them.
        input: `endpointInput` as captured.
        output_type, output_encoding: of production's answer; None where it has none.
    """

    at_us: int
    time: str
    event_id: str
    inference_id: str | None
    attributes: tuple[str, ...]
    input: dict[str, Any]
    output_type: str | None
    output_encoding: str | None

    @property
    def body(self) -> bytes:
        """The bytes to send; what was captured as BASE64 stood for its bytes.

        Raises:
            Unsendable: bad-payload.
        """
        data = self.input["data"]
        try:
            if self.encoding == "BASE64":
                return base64.b64decode(data, validate=True)
            return str(data).encode()
        except (binascii.Error, ValueError):
            raise Unsendable("bad-payload") from None

    @property
    def encoding(self) -> str:
        """How the payload was captured."""
        return str(self.input.get("encoding") or "").upper()

    @property
    def content_type(self) -> str:
        """The type the caller sent; where none was captured, that of the encoding."""
        given = self.input.get("observedContentType")
        return given or _DEFAULT_TYPES.get(self.encoding, "application/octet-stream")

    @property
    def accept(self) -> str | None:
        """What the caller seems to have asked for: captures lack Accept, answers have a type."""
        media = (self.output_type or "").partition(";")[0].strip()
        return media or None

    @property
    def custom_attributes(self) -> str | None:
        """The header's value; None without one."""
        return ",".join(self.attributes) or None

    @property
    def payload_key(self) -> bytes:
        """Equal for requests that send the same bytes as the same type."""
        key = hashlib.blake2b(self.content_type.encode(), digest_size=16)
        key.update(b"\0")
        key.update(self.body)
        return key.digest()

    def to_json(self) -> str:
        """One line that `from_json` reads again."""
        return json.dumps(self.__dict__, ensure_ascii=True)

    @classmethod
    def from_json(cls, line: bytes) -> Request:
        """Read what `to_json` wrote."""
        values = json.loads(line)
        return cls(**{**values, "attributes": tuple(values["attributes"])})


def microseconds(at: datetime) -> int:
    """An aware moment as microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def read_request(line: bytes) -> Request:
    """The request of a capture line.

    Raises:
        Unsendable: it has none.
    """
    try:
        record = json.loads(line)
        if b"\\u" in line:  # half a character may be escaped, and is none
            json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Unsendable("not-json") from None
    captured, meta = _object(record, "captureData"), _object(record, "eventMetadata")
    if captured is None:
        raise Unsendable("not-capture")
    given, answer = _object(captured, "endpointInput"), _object(captured, "endpointOutput") or {}
    if given is None or not isinstance(given.get("data"), str):
        raise Unsendable("no-input")
    meta = meta or {}
    attributes = meta.get("customAttributes") or []
    request = Request(
        at_us=_captured_us(meta.get("inferenceTime")),
        time=str(meta.get("inferenceTime")),
        event_id=_text(meta.get("eventId")) or str(uuid.uuid5(_OWN_IDS, _digest(line))),
        inference_id=_text(meta.get("inferenceId")),
        attributes=tuple(attributes if isinstance(attributes, list) else [attributes]),
        input={key: given.get(key) for key in _INPUT},
        output_type=_text(answer.get("observedContentType")),
        output_encoding=_text(answer.get("encoding")),
    )
    _check_headers(request)
    _ = request.body  # raises where the payload is none
    return request


def _check_headers(request: Request) -> None:
    """Refuse what cannot stand in a header of the contract as it is."""
    if not all(isinstance(part, str) for part in request.attributes):
        raise Unsendable("bad-header")
    attributes = request.custom_attributes or ""
    kinds = [request.input.get("observedContentType"), request.output_type]
    if (
        not all(kind is None or _is_header(kind, _MOST_TYPE) for kind in kinds)
        or not _is_header(attributes, _MOST_ATTRIBUTES)
        or (request.inference_id is not None and not _ID.fullmatch(request.inference_id))
    ):
        raise Unsendable("bad-header")


def _is_header(text: object, most: int) -> bool:
    return isinstance(text, str) and len(text) <= most and _HEADER.fullmatch(text) is not None


def _captured_us(time: object) -> int:
    """ISO 8601 -> microseconds since 1970; without an offset it is UTC, as everywhere here."""
    if not isinstance(time, str) or _TIME.fullmatch(time) is None:
        raise Unsendable("no-time")
    try:
        at = datetime.fromisoformat(time)
    except ValueError:
        raise Unsendable("no-time") from None
    return microseconds(at.replace(tzinfo=UTC) if at.tzinfo is None else at)


def _object(value: object, key: str) -> dict[str, Any] | None:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str | None:
    """A text as it is, a number as JSON writes it, as pairing reads IDs too."""
    if isinstance(value, str):
        return value or None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
