"""Everything that can stop a command, and the exit code it stops with.

    AnalyzerError
    |-- UsageError       2   flags or arguments that cannot be meant
    |   `-- PolicyError  2   policy.toml: unknown key, wrong type, margin of the wrong sign
    |-- InputError       3   no captures, no pairs possible, unknown schema, implausible unit
    |-- AccessError      4   denied, expired, unreachable after retries
    `-- ResourceError    5   disk full, memory limit

Odd *data* never raises: it becomes a counted reject, a note or UNRESOLVED. `cli`
catches `AnalyzerError` to write an ERROR verdict, `doctor` to report it as a finding, `__main__` to
end with its exit code; whoever else catches it adds where it happened and raises it again, or
carries it from a Spark task to the driver. Any other exception is a bug and ends as a traceback
with exit code 1.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from analyzer.secrets import without_secrets

if TYPE_CHECKING:
    from pathlib import Path


class ExitCode(IntEnum):
    """Exit codes of every command; stable."""

    PROMOTE = 0
    INTERNAL = 1
    USAGE = 2
    INPUT = 3
    ACCESS = 4
    RESOURCES = 5
    HOLD = 10
    REJECT = 20
    INTERRUPTED = 130
    TERMINATED = 143


class AnalyzerError(Exception):
    """A command cannot go on; the message says what, where and what to do.

    Attributes:
        code: stable kebab-case code, written to verdict.json.
        exit_code: the process's exit code.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(_sayable(message))
        self.code = code or _kebab(type(self).__name__)

    def lead_with(self, what: str) -> None:
        """Say first what the message is about."""
        self.args = (_sayable(f"{what}: {self}"),)


class UsageError(AnalyzerError):
    """The command line cannot be meant as it stands."""

    exit_code = ExitCode.USAGE


class PolicyError(UsageError):
    """policy.toml or a `--set` has an unknown key, a wrong type or a margin of the wrong sign."""


class InputError(AnalyzerError):
    """The input cannot be judged at all."""

    exit_code = ExitCode.INPUT


class AccessError(AnalyzerError):
    """Something needed could not be reached; a re-run may help.

    Attributes:
        permission: the AWS permission that is missing, such as `s3:GetObject`; empty if none is.
    """

    exit_code = ExitCode.ACCESS

    def __init__(self, message: str, *, code: str = "", permission: str = "") -> None:
        super().__init__(message, code=code)
        self.permission = permission


class ResourceError(AnalyzerError):
    """Disk or memory ran out."""

    exit_code = ExitCode.RESOURCES


def unopened(path: Path, error: OSError) -> AnalyzerError:
    """Why a file that was named cannot be opened: only what is there can be reached by a re-run."""
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return InputError(f"{path}: {error.strerror}", code="no-such-file")
    return AccessError(f"{path}: {error.strerror}", code="unreadable")


def _sayable(message: str) -> str:
    """A message as it may be printed, logged and kept in ERROR verdicts.

    It may quote addresses and answers, and arguments that are no text.
    """
    return without_secrets(message.encode("utf-8", "backslashreplace").decode())


def _kebab(name: str) -> str:
    """`PolicyError` -> `policy-error`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
