"""Who is compared: endpoint and variant names, from flags, paths, endpoint.json or the exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from analyzer.errors import InputError, UsageError
from analyzer.sources.layout import CAPTURE_NAMES, choose_roles

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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

    A path that is called as a variant is that variant's: what was read in a role is named so and
    measured there, whatever exports or endpoint.json say of roles. The gate `roles` compares.

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
    found = exports.variants(name)
    if listing is None:
        asked: Mapping[Role, str | None] = {"production": flags.production, "shadow": flags.shadow}
    else:
        asked = _of_paths(flags, listing, {*found, *described(endpoint).values()})
        production = asked["production"] or listing.production_variant
        shadow = asked["shadow"] or listing.shadow_variant
        if not found or (production and shadow):
            return Names(name, production, shadow)
    if not found:
        return Names(name, None, None)
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
    paths: dict[Role, tuple[str | None, str | None]] = {
        "production": (listing.production_variant, flags.production),
        "shadow": (listing.shadow_variant, flags.shadow),
    }
    told = _of_paths(flags, listing, names.variants.values())
    return {
        role: told[role] or variant or PurePosixPath(path or "").name
        for role, (variant, path) in paths.items()
    }


def _of_paths(
    flags: Flags, listing: Listing, variants: Collection[str | None]
) -> dict[Role, str | None]:
    """The variant each path is called as; a replay's candidate is one of no endpoint."""
    paths: dict[Role, str | None] = {"production": flags.production, "shadow": flags.shadow}
    if flags.source is not None or listing.sidecars:
        return dict.fromkeys(paths)
    told = {role: _variant_of(path, variants) for role, path in paths.items()}
    within = {role: _within_variant(path, variants) for role, path in paths.items()}
    # a folder above both paths says nothing of either
    apart = None not in within.values() and within["production"] != within["shadow"]
    return within if apart and None in told.values() else told


def _within_variant(path: str | None, variants: Collection[str | None]) -> str | None:
    """The variant in whose folder, however far above, a path lies."""
    return next((part for part in reversed((path or "").split("/")) if part in variants), None)


def _variant_of(path: str | None, variants: Collection[str | None]) -> str | None:
    """The variant that a path is called as, or the folder its dates and its file lie in.

    >>> _variant_of("captures/churn/v2/2026/10", ["v1", "v2"]), _variant_of("v1.jsonl", ["v1"])
    ('v2', 'v1')
    """
    parts = [part for part in (path or "").split("/") if part not in {"", "."}]
    if parts and (ending := next(filter(parts[-1].lower().endswith, CAPTURE_NAMES), "")):
        stem = parts.pop()[: -len(ending)]
        parts += [stem] if stem in variants else []
    while parts and parts[-1].isdigit() and parts[-1] not in variants:
        parts.pop()
    return parts[-1] if parts and parts[-1] in variants else None


def _endpoint_name(flags: Flags, listing: Listing | None, exports: Exports) -> str | None:
    name = (listing.endpoint if listing else None) or flags.endpoint
    endpoints = exports.endpoints()
    if name is None and len(endpoints) == 1:
        return endpoints[0]
    if name is None and listing is None and endpoints:
        listed = ", ".join(endpoints)
        raise UsageError(f"--cloudwatch: several endpoints: {listed}; choose with --endpoint")
    return name
