"""What an IAM policy allows: an evaluator of its own, for the few elements the tests meet.

It shares nothing with the code that writes policies: it reads the JSON as AWS documents it.
"""

from __future__ import annotations

import re
from typing import Any


def allows(policy: dict[str, Any], action: str, resource: str, **keys: str) -> bool:
    """Whether some statement allows an action on a resource in a context of condition keys.

    `keys` are named with two underscores for a colon: `s3__prefix`.
    """
    context = {name.replace("__", ":"): value for name, value in keys.items()}
    return any(
        one["Effect"] == "Allow"
        and action in as_list(one["Action"])
        and any(matches(pattern, resource) for pattern in as_list(one["Resource"]))
        and all(
            fulfilled(operator, tests, context)
            for operator, tests in one.get("Condition", {}).items()
        )
        for one in policy["Statement"]
    )


def fulfilled(operator: str, tests: dict[str, Any], context: dict[str, str]) -> bool:
    for key, wanted in tests.items():
        if key not in context:
            return False
        same = {"StringLike": matches, "StringEquals": str.__eq__}[operator]
        if not any(same(one, context[key]) for one in as_list(wanted)):
            return False
    return True


def matches(pattern: str, text: str) -> bool:
    """Wildcards `*` and `?`; `${*}`, `${?}` and `${$}` stand for themselves."""
    parts = re.split(r"(\$\{[*?$]\}|\*|\?)", pattern)
    kinds = {"*": ".*", "?": "."}
    regular = "".join(
        kinds.get(part) or re.escape(part[2] if part.startswith("${") else part) for part in parts
    )
    return re.fullmatch(regular, text, re.DOTALL) is not None


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
