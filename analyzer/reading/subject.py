"""Who is compared: endpoint and variant names, from flags, layout, endpoint.json or the exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from analyzer.errors import InputError, UsageError
from analyzer.sources.layout import choose_roles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.cloudwatch import Exports
    from analyzer.metrics.metric import EndpointFacts
    from analyzer.sources import Listing
    from analyzer.sources.objects import Role


@dataclass(frozen=True)
class Flags:
    """What the command line says of the subject.

    Attributes:
        production, shadow: variant names beside `source` or in a run from metrics alone; otherwise
            a path each.
    """

    source: str | None
    endpoint: str | None
    production: str | None
    shadow: str | None


@dataclass(frozen=True)
class Names:
    """Whose captures and metrics these are; None where nothing tells."""

    endpoint: str | None
    production: str | None
    shadow: str | None

    @property
    def variants(self) -> dict[str, str]:
        """Role -> name, for the roles that have one."""
        named = {"production": self.production, "shadow": self.shadow}
        return {role: name for role, name in named.items() if name is not None}


def metrics_alone(flags: Flags) -> bool:
    """No SOURCE, and what --production and --shadow name, if anything, is no path."""
    if flags.source is not None:
        return False
    given = [name for name in (flags.production, flags.shadow) if name is not None]
    paths = [name for name in given if "/" in name or Path(name).exists()]
    return not given or (flags.endpoint is not None and not paths)


def described(endpoint: EndpointFacts | None) -> Mapping[Role, str | None]:
    """The variant names endpoint.json gives."""
    if endpoint is None:
        return {}
    return {"production": endpoint.production_variant, "shadow": endpoint.shadow_variant}


def replay_among(listing: Listing | None, cloudwatch: Sequence[str]) -> bool:
    """Whether the shadow's captures are a replay's: it has a sidecar, and a clock of its own.

    Raises:
        UsageError: with CloudWatch's metrics, which know nothing of it.
    """
    if listing is None or not listing.sidecars:
        return False
    if cloudwatch:
        raise UsageError(
            "--cloudwatch: the shadow is a replay, judged by the times in its own replay.parquet; "
            "leave --cloudwatch out"
        )
    return True


def names_of(
    flags: Flags, listing: Listing | None, endpoint: EndpointFacts | None, exports: Exports
) -> Names:
    """Endpoint and variant names: from the captures' layout, else from the exports themselves.

    Raises:
        UsageError: the exports name several endpoints, or roles they do not settle.
        InputError: endpoint.json is another endpoint's.
    """
    name = _endpoint_name(flags, listing, exports)
    if endpoint is not None and None not in {name, endpoint.name} and endpoint.name != name:
        raise InputError(
            f"endpoint.json is of the endpoint {endpoint.name}, not of {name}; give this one's "
            "with --endpoint-file",
            code="endpoint-file",
        )
    if listing is not None and listing.production_variant and listing.shadow_variant:
        return Names(name, listing.production_variant, listing.shadow_variant)
    found = exports.variants(name)
    if not found and listing is not None:
        return Names(name, listing.production_variant, listing.shadow_variant)
    if not found:
        return Names(name, None, None)
    asked: Mapping[Role, str | None] = {}
    if listing is None:
        asked = {"production": flags.production, "shadow": flags.shadow}
    try:
        roles = choose_roles(found, asked, described(endpoint), "--cloudwatch")
    except UsageError as error:
        if listing is None:
            raise
        raise UsageError(
            f"{error}; or name the role with each export: --cloudwatch production=PATH "
            "--cloudwatch shadow=PATH"
        ) from None
    return Names(name, roles["production"], roles["shadow"])


def called(flags: Flags, listing: Listing | None, names: Names) -> Mapping[str, str]:
    """Role -> what was given as it is called: its variant, else the file or folder of a path.

    The exports' names are no answer for paths: which path is whose is what is asked.
    """
    if listing is None or flags.source is not None:
        return names.variants
    paths = {
        "production": (listing.production_variant, flags.production),
        "shadow": (listing.shadow_variant, flags.shadow),
    }
    return {
        role: variant or PurePosixPath(path or "").name for role, (variant, path) in paths.items()
    }


def _endpoint_name(flags: Flags, listing: Listing | None, exports: Exports) -> str | None:
    name = (listing.endpoint if listing else None) or flags.endpoint
    endpoints = exports.endpoints()
    if name is None and len(endpoints) == 1:
        return endpoints[0]
    if name is None and listing is None and endpoints:
        listed = ", ".join(endpoints)
        raise UsageError(f"--cloudwatch: several endpoints: {listed}; choose with --endpoint")
    return name
