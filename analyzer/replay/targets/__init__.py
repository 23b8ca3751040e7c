"""What a replay talks to, behind one face: a web server, a SageMaker endpoint, a function.

In: which kind a flag names, the face (`target`) and each kind (`web`, `endpoint`, `function`).
Out: when to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.errors import UsageError
from analyzer.replay.targets.target import MOST_BYTES, Answer, Caught, Target, answered
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from analyzer.sources import AwsOptions

__all__ = ["MOST_BYTES", "Answer", "Caught", "Target", "answered", "open_target"]


def open_target(
    text: str, flag: str, *, aws: AwsOptions, connections: int, allow_insecure: bool
) -> Target:
    """The target a flag names.

    Args:
        text: a URL, `sagemaker:ENDPOINT`, `sagemaker:ENDPOINT/VARIANT` or
            `python:MODULE:FUNCTION`.
        flag: for messages.
        aws: how AWS is reached.
        connections: requests at the same time, at most.
        allow_insecure: whether http may leave this machine.

    Raises:
        UsageError: none of these, or one that must not be talked to.
        AccessError: a host that is not known, or credentials that cannot be loaded.
    """
    kind, _, rest = text.partition(":")
    if kind in {"http", "https"}:
        from analyzer.replay.targets.web import WebServer

        return WebServer(text, flag, allow_insecure=allow_insecure)
    if kind == "sagemaker":
        from analyzer.replay.targets.endpoint import Endpoint

        return Endpoint(rest, flag, aws, connections)
    if kind == "python":
        from analyzer.replay.targets.function import Function

        return Function(rest, flag)
    raise UsageError(
        f"{flag} {printable(text)}: expected http://..., https://..., sagemaker:ENDPOINT or "
        "python:MODULE:FUNCTION"
    )
