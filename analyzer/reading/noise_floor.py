"""The A/A noise floor of a run: how often production disagrees with itself, and from where.

In: `--noise-floor`, a bundle of a run that compared production with itself, or captures in which
production's model answered the same requests twice. Out: judging above it (`metrics.floor`).

That both sides were production's model can be known only where something names the models. What is
known and wrong is refused, because a floor of two different models would hide a real change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from pydantic import ValidationError

from analyzer import bundle
from analyzer.errors import AnalyzerError, InputError, UsageError
from analyzer.figures import counted, grouped
from analyzer.gates.pairs import LEAST_INPUTS, LEAST_PAIRS
from analyzer.metrics.divergence import FLOORED
from analyzer.metrics.predictions import Counted
from analyzer.model import FloorShare, NoiseFloor, Note, round_significant
from analyzer.out_folder import MANIFEST, VERDICT
from analyzer.payloads.comparison import tolerance_of
from analyzer.policy import Policy
from analyzer.reading.captures import read_captures
from analyzer.sources import discover
from analyzer.sources.objects import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.metrics.metric import EndpointFacts
    from analyzer.model import Verdict
    from analyzer.reading.captured import Captured
    from analyzer.reading.opening import EngineLimits
    from analyzer.reading.subject import Names
    from analyzer.sources import Listing
    from analyzer.steps import Progress

LARGE_SHIFTS = "score_large_shift_share"
OTHER = "noise-floor-other"
TOO_SMALL = "noise-floor-too-small"


@dataclass(frozen=True)
class Found:
    """A floor, before it is known what a large shift is in the run it is for.

    Attributes:
        sizes: how far production's scores lie from its own, as sql/shift_sizes.sql counts it; None
            where there are no scores.
    """

    given: str
    floor: NoiseFloor
    sizes: pl.DataFrame | None


@dataclass(frozen=True)
class RunFacts:
    """What is known of the run the floor is for, before its captures are read."""

    policy: Policy
    names: Names
    endpoint: EndpointFacts | None
    listing: Listing
    limits: EngineLimits

    @property
    def production_model(self) -> str | None:
        """Production's model, where endpoint.json names it."""
        return None if self.endpoint is None else self.endpoint.production_model


def find_floor(given: str, run: RunFacts, progress: Progress) -> Found:
    """Read and check a noise floor.

    Args:
        given: a bundle; or a folder or S3 prefix with two variants' captures, or with one
            variant's, which is then held against this run's production captures.
        run: what it must fit.
        progress: told of every step where captures are read.

    Raises:
        InputError: it is of another endpoint, model or reading of outputs, compares with the shadow
            itself, or has too few pairs.
        AnalyzerError: it cannot be read; as for any bundle or captures.
    """
    try:
        folder = Path(given)
        if any((folder / name).is_file() for name in (MANIFEST, VERDICT)):
            return Found(given, *_of_bundle(folder, run))
        return Found(given, *_of_captures(given, run, progress))
    except AnalyzerError as error:
        there = given.startswith("s3://") and isinstance(error, InputError)
        what = " (as captures; a bundle is read from a folder on this machine)" if there else ""
        error.lead_with(f"--noise-floor {printable(given)}{what}")
        raise


def fitted(found: Found, captured: Captured) -> NoiseFloor:
    """The floor of what these captures are judged by: its large shifts counted at their size.

    Raises:
        InputError: it is of another kind of output, or of this very comparison.
    """
    counts, floor = Counted.of_tables(captured.facts.tables), found.floor
    where = f"--noise-floor {printable(found.given)}"
    if floor.digest == captured.digest or _same_differences(floor, counts):
        raise InputError(f"{where}: holds the captures that are judged", code=OTHER)
    if counts is not None and counts.kind != floor.kind:
        raise InputError(
            f"{where}: its outputs were read as {floor.kind}, those of this run as {counts.kind}; "
            "set predictions.kind where one was read wrongly",
            code=OTHER,
        )
    size = None if counts is None else counts.row.get("large_shift")
    return floor.model_copy(update={"shares": dict(_at_size(floor, found.sizes, size))})


def _same_differences(floor: NoiseFloor, counts: Counted | None) -> bool:
    """Whether it differs from production as the shadow does, to the last event: a copy of it."""
    if counts is None:
        return False
    shares = {metric: FLOORED[metric](counts) for metric in floor.shares}
    seen = {metric: (one.events, one.outcomes) for metric, one in floor.shares.items()}
    own = {metric: one and (one.events, one.outcomes) for metric, one in shares.items()}
    distance = counts.row.get("mean_absolute_difference")
    some = any(events for events, _ in seen.values())
    alike = distance is None or round_significant(distance) == floor.mean_absolute_difference
    return some and seen == own and alike


def _at_size(
    floor: NoiseFloor, sizes: pl.DataFrame | None, size: float | None
) -> Iterator[tuple[str, FloorShare]]:
    """The shares with as many large shifts as are certain to lie beyond the size.

    Up to 1 % of the size above it a shift may go uncounted: a floor may forgive too little.
    """
    for metric, share in floor.shares.items():
        if metric != LARGE_SHIFTS:
            yield metric, share
        elif sizes is not None and size is not None:
            beyond = sizes.filter(2 ** (pl.col("step") / 64) > size)["predictions"].sum()
            yield metric, share.model_copy(update={"events": int(beyond)})


def floor_notes(floor: NoiseFloor | None) -> tuple[Note, ...]:
    """What the floor rests on."""
    if floor is None:
        return ()
    text = (
        f"divergence is judged above an A/A noise floor of {counted(floor.pairs, 'pair')} on "
        f"{counted(floor.distinct_inputs, 'distinct input')}, from "
        f"{'a bundle' if floor.source == 'bundle' else 'captures'} ({floor.digest[:19]})"
    )
    if floor.production_model is None:
        text += "; nothing names the model that answered twice, so it is taken on trust"
    return (Note(code="noise-floor", text=text),)


def _of_bundle(folder: Path, run: RunFacts) -> tuple[NoiseFloor, pl.DataFrame | None]:
    found = bundle.read(folder)
    verdict, subject = found.verdict, found.verdict.subject
    bundle.derive_again(folder, verdict)
    _whole(verdict)
    _same("endpoint", subject.endpoint, run.names.endpoint)
    _same("production model", subject.production_model, run.production_model)
    models = subject.production_model, subject.shadow_model
    if None not in models and models[0] != models[1]:
        raise InputError(
            f"it compares two models, {printable(str(models[0]))} and {printable(str(models[1]))}",
            code=OTHER,
        )
    known = None not in models
    # under an infrastructure change both variants run one model, so equal models prove nothing
    if not known or "infrastructure" in {subject.change, run.policy.change}:
        _not_the_shadow({subject.production_variant, subject.shadow_variant}, run.names)
    shape, row = found.table("prediction_shape"), found.table("prediction_counts")
    if shape is None or row is None:
        raise InputError("no captured answers were compared in it; run it again with captures")
    try:
        policy = Policy.model_validate(verdict.policy.effective)
    except ValidationError:
        raise InputError("its policy is one of another version; run it again") from None
    _same_reading(policy, run.policy)
    counts = Counted(shape["kind"][0], row.row(0, named=True))
    floor = NoiseFloor(
        source="bundle",
        digest=verdict.inputs.digest,
        endpoint=subject.endpoint,
        production_model=subject.production_model if known else None,
        kind=counts.kind,
        pairs=verdict.ledger.pairs,
        distinct_inputs=verdict.pairing.distinct_inputs,
        mean_absolute_difference=counts.row.get("mean_absolute_difference"),
    )
    return _checked(floor, counts), found.table("shift_sizes")


def _whole(verdict: Verdict) -> None:
    """Part of the pairs, or pairs of who knows whom, say nothing of production's own noise."""
    if verdict.inputs.objects_failed:
        failed = ", ".join(
            f"{count} {code}" for code, count in verdict.inputs.objects_failed.items()
        )
        raise InputError(f"objects of it could not be read: {failed}")
    for name in ("objects", "roles"):
        gate = verdict.gates.get(name)
        if gate is not None and gate.closed:
            raise InputError(f"its gate {name} is closed; mend that and run it again")


def _of_captures(
    given: str, run: RunFacts, progress: Progress
) -> tuple[NoiseFloor, pl.DataFrame | None]:
    listing = _listing(given, run)
    _same("endpoint", listing.endpoint, run.names.endpoint)
    _not_the_shadow({listing.production_variant, listing.shadow_variant}, run.names)
    shadow = {item.location for item in run.listing.objects if item.role == "shadow"}
    if shadow & {item.location for item in listing.objects}:
        raise InputError("holds the captures of the shadow that is judged", code=OTHER)
    captured = read_captures(listing, run.policy, (None, None), run.limits, progress, apart=True)
    if captured.failed:
        failed = ", ".join(f"{count} {code}" for code, count in captured.failed.items())
        raise InputError(f"objects of it could not be read: {failed}")
    counts = Counted.of_tables(captured.facts.tables)
    if counts is None:
        raise InputError("no outputs were compared in it")
    floor = NoiseFloor(
        source="captures",
        digest=captured.digest,
        endpoint=listing.endpoint,
        production_model=None,
        kind=counts.kind,
        pairs=captured.facts.ledger.pairs,
        distinct_inputs=captured.facts.pairing.distinct_inputs,
        mean_absolute_difference=counts.row.get("mean_absolute_difference"),
    )
    sizes = captured.facts.tables.get("shift_sizes")
    return _checked(floor, counts), None if sizes is None else pl.DataFrame(sizes)


def _listing(given: str, run: RunFacts) -> Listing:
    """Both answers of production: two variants of the folder, or its one beside the run's own."""
    aws = run.listing.aws
    try:
        alone = discover(None, production=given, shadow=given, aws=aws)
    except UsageError:  # captures of several variants
        return _two_variants(given, run)
    production = [item for item in run.listing.objects if item.role == "production"]
    again = [item for item in alone.objects if item.role == "shadow"]
    shared = {item.location for item in production} & {item.location for item in again}
    if shared:
        raise InputError("these are production's own captures, not a second answer", code=OTHER)
    return replace(
        alone,
        endpoint=run.names.endpoint,
        production_variant=run.names.production,
        objects=(*production, *again),
        same_objects=False,
    )


def _two_variants(given: str, run: RunFacts) -> Listing:
    """The run's production variant and another; else, as in any folder, one named a shadow."""
    aws, names = run.listing.aws, run.names
    try:
        return discover(given, endpoint=names.endpoint, production=names.production, aws=aws)
    except UsageError:
        return discover(given, endpoint=names.endpoint, aws=aws)


def _checked(floor: NoiseFloor, counts: Counted) -> NoiseFloor:
    """The floor with the shares that its counts come to, if they are of enough pairs."""
    for what, seen, least in (
        ("pair", floor.pairs, LEAST_PAIRS),
        ("distinct input", floor.distinct_inputs, LEAST_INPUTS),
    ):
        if seen < least:
            raise InputError(
                f"{counted(seen, what)}; a noise floor needs at least {grouped(least)}",
                code=TOO_SMALL,
            )
    found = {metric: share(counts) for metric, share in FLOORED.items()}
    shares = {
        metric: FloorShare(events=share.events, outcomes=share.outcomes, effective=share.effective)
        for metric, share in found.items()
        if share is not None
    }
    return floor.model_copy(update={"shares": shares})


def _same(what: str, floors: str | None, own: str | None) -> None:
    if floors is not None and own is not None and floors != own:
        raise InputError(
            f"it is of {what} {printable(floors)}, this run of {printable(own)}", code=OTHER
        )


def _not_the_shadow(variants: set[str | None], names: Names) -> None:
    """A comparison with the shadow's own variant is a floor only where both models are known."""
    if names.shadow is not None and names.shadow in variants:
        raise InputError(
            f"it compares with {printable(names.shadow)}, the variant that is judged; where that "
            "ran production's model before a model change, give the bundle of a run whose "
            "endpoint.json names both models",
            code=OTHER,
        )


def _same_reading(floors: Policy, own: Policy) -> None:
    """Counts say the same only where outputs are read and compared by the same rules."""
    for what, there, here in (
        ("tolerance", tolerance_of(floors), tolerance_of(own)),
        ("predictions.label_at", floors.predictions.label_at, own.predictions.label_at),
        ("predictions.path", floors.predictions.path, own.predictions.path),
    ):
        if there != here:
            raise InputError(
                f"its {what} is {_said(there)}, that of this run {_said(here)}; run it again with "
                "this policy",
                code=OTHER,
            )


def _said(value: object) -> str:
    return "unset" if value is None else str(value)
