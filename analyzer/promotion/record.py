"""The plan that `--apply` has begun, on disk: what a second call goes on from.

Once the variants are deregistered nobody but this file knows how they scaled. It is written before
the first request and removed after the last.

In: one file beside the bundle. Out: sending (`apply`).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from analyzer.errors import AccessError, InputError, ResourceError, UsageError
from analyzer.model import Note
from analyzer.promotion.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.promotion.choice import Choice


@dataclass(frozen=True)
class Begun:
    """A plan that was begun and not finished.

    Attributes:
        sent: the request that moves traffic was about to be sent, and may have been.
    """

    plan: Plan
    sent: bool


def record_of(bundle: Path) -> Path:
    """Where the begun plan of a bundle is kept: beside it, since a bundle is sealed."""
    whole = bundle.resolve()
    return whole.with_name(f"{whole.name}.promotion.json")


def begun(path: Path, digest: str, endpoint: str, choice: Choice) -> Begun | None:
    """The plan that was begun and not finished; None where none was.

    Raises:
        UsageError: it was begun for another verdict, endpoint or choice.
        InputError: the file is no plan.
        AccessError: it cannot be read.
    """
    try:
        body = json.loads(path.read_bytes())
        sent = body["sent"] is True
        plan = Plan.model_validate(body["plan"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, ValidationError):
        raise InputError(f"{path}: not a plan that --apply began") from None
    if (plan.verdict, plan.endpoint, plan.choice) != (digest, endpoint, choice):
        raise UsageError(
            f"{path}: --apply began another plan (endpoint {plan.endpoint}, --instances "
            f"{plan.choice.instances or 'left out'}, --traffic {plan.choice.traffic}) and did not "
            "finish it: finish that one, or see what it did and delete the file"
        )
    return Begun(plan, sent)


def begin(path: Path, plan: Plan, *, sent: bool) -> None:
    """Write the plan down, whole or not at all.

    Raises:
        ResourceError: it cannot be written; nothing may be sent then.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        body = {"plan": plan.model_dump(mode="json"), "sent": sent}
        fresh.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8", newline="\n")
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ResourceError(
            f"{path}: {error.strerror or error}: the plan is written there before anything is sent"
        ) from None


def unfinished(plan: Plan, path: Path) -> Plan:
    """The begun plan for somebody who only looks: with a warning that parts of it may be so.

    No other plan is made until it is finished: what scaled the variants may be known to it alone.
    """
    text = (
        f"--apply began this plan and did not finish it ({path}): some of its requests were sent. "
        "Give the same command with --apply to go on"
    )
    return plan.model_copy(update={"warnings": (Note(code="begun", text=text), *plan.warnings)})


def finish(path: Path) -> None:
    """Forget the plan: it was carried out, or undone."""
    path.unlink(missing_ok=True)
