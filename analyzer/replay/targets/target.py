"""The one face of all targets, and what an answer is.

Whatever the other end does is an answer with a code; only what no request could get past,
such as a refused credential, is an error of the replay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from analyzer.replay.requests import Request

TIMEOUT_S = 60.0
"""What SageMaker grants a container for one request."""
MOST_BYTES = 6_291_456
"""The longest answer an endpoint gives: BodyBlob in botocore's model of sagemaker-runtime."""
OK = range(200, 300)


@dataclass(frozen=True)
class Answer:
    """What came of one request.

    Attributes:
        done_s: when it was complete or given up, on the monotonic clock.
        first_byte_s: when it began; None without one.
        status: None without an answer.
        content_type, body: of a usable answer.
        error_code: one of `sidecar.ERROR_CODES`; None for a usable answer.
        error_text: for a person; never what was sent or answered, which may be anybody's.
    """

    done_s: float
    first_byte_s: float | None = None
    status: int | None = None
    content_type: str | None = None
    body: bytes = b""
    error_code: str | None = None
    error_text: str | None = None


def answered(answer: Answer) -> Answer:
    """The answer; one without a body is a failure, whatever its status: it says nothing."""
    if answer.error_code is not None or answer.body:
        return answer
    text = f"status {answer.status} without a body"
    return replace(answer, content_type=None, error_code="empty-answer", error_text=text)


class Target(Protocol):
    """Something that answers requests, from several threads at a time."""

    def check(self) -> None:
        """See whether it is there, before the first request.

        Raises:
            AccessError: it is not, or is not well.
        """

    def send(self, request: Request) -> Answer:
        """Send a request once and wait for what comes of it.

        Raises:
            AccessError: no request could succeed.
        """

    def expire(self, now_s: float) -> None:
        """End what has lasted longer than `TIMEOUT_S`; called now and then."""

    def close(self) -> None:
        """End what is under way, whose answers are not wanted any more, and let go of the rest."""


class Caught:
    """Keeps whatever a block raises: what foreign code does is an outcome, not an error here.

    Attributes:
        error: what was raised; None if nothing was.
    """

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self.error = error
        return True
