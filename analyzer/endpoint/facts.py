"""What one description says of the endpoint: roles, models, samplings, instances, since when."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from analyzer.endpoint.answers import opened, parsed
from analyzer.metrics.metric import EndpointFacts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from analyzer.endpoint.answers import (
        EndpointFile,
        Experiment,
        ExperimentVariant,
        Variant,
        Variants,
    )

_MAY_HAVE_SCALED = frozenset({None, "Successful", "InProgress"})
"""Of DescribeScalingActivities' states those in which instances come or may have come."""
_SETTLING = timedelta(minutes=5)
"""How long after a scaling activity the endpoint still counts as modified by it."""
_WHOLE = 100


def read_endpoint(path: Path) -> EndpointFacts:
    """The endpoint facts in an endpoint.json file; None where it is silent.

    The shadow percentage is the experiment's, else the shadow's weight over production's; for a
    shadow variant the weight is the share of production's requests it is sent.

    Raises:
        AccessError: the file cannot be opened.
        InputError: not JSON, none of the four answers, or an answer of another form.
    """
    return facts_of(opened(path, path.name))


def endpoint_facts(answers: bytes | str, name: str) -> EndpointFacts:
    """As `read_endpoint`, of JSON that is called `name` where it is at fault."""
    return facts_of(parsed(answers, name))


def facts_of(file: EndpointFile) -> EndpointFacts:
    """What one description's answers mean together."""
    # The configuration names the models, the endpoint the present weights and counts.
    described = [one for one in (file.describe_endpoint, file.describe_endpoint_config) if one]
    production = _only([one.production_variants for one in described])
    shadow = _only([one.shadow_production_variants for one in described])
    experiment = file.describe_inference_experiment
    mode = experiment.shadow_mode_config if experiment else None
    shadows = mode.shadow_model_variants if mode else ()
    live_since, live_since_at_earliest = _live_since(file)
    production_name = mode.source_model_variant_name if mode else _name(production)
    shadow_name = shadows[0].shadow_model_variant_name if shadows else _name(shadow)
    sampled = shadows[0].sampling_percentage if shadows else None
    return EndpointFacts(
        name=file.endpoint_name,
        production_variant=production_name,
        shadow_variant=shadow_name,
        production_model=_model(production_name, production, experiment),
        shadow_model=_model(shadow_name, shadow, experiment),
        shadow_percentage=_percentage(sampled) or _weighed(production, shadow),
        capture_percentage=_captured(described),
        production_instances=_instances(production_name, production, experiment),
        shadow_instances=_instances(shadow_name, shadow, experiment),
        live_since=live_since,
        live_since_at_earliest=live_since_at_earliest,
        scaled_at=tuple(
            sorted(
                one.end_time or one.start_time
                for one in file.scaled
                if one.status_code in _MAY_HAVE_SCALED
            )
        ),
        scheduled_minutes=_scheduled_minutes(experiment),
    )


def _only(answers: Sequence[tuple[Variant, ...]]) -> tuple[Variant, ...]:
    """The same variant in each answer that has exactly one; a choice between several is no role."""
    return tuple(variants[0] for variants in answers if len(variants) == 1)


def _name(variants: Sequence[Variant]) -> str | None:
    return variants[0].variant_name if variants else None


def _model(
    name: str | None, variants: Sequence[Variant], experiment: Experiment | None
) -> str | None:
    named = [one.model_name for one in variants if one.variant_name == name]
    tried = [one.model_name for one in _tried(experiment) if one.variant_name == name]
    return next((model for model in (*named, *tried) if model), None)


def _instances(
    name: str | None, variants: Sequence[Variant], experiment: Experiment | None
) -> int | None:
    now = [one.instances for one in variants if one.variant_name == name]
    planned = [
        one.infrastructure_config.real_time_inference_config.instance_count
        for one in _tried(experiment)
        if one.variant_name == name
    ]
    return next((count for count in (*now, *planned) if count), None)


def _tried(experiment: Experiment | None) -> tuple[ExperimentVariant, ...]:
    return experiment.model_variants if experiment else ()


def _weighed(production: Sequence[Variant], shadow: Sequence[Variant]) -> float | None:
    ours = next((one.weight for one in production if one.weight), None)
    theirs = next((one.weight for one in shadow if one.weight), None)
    return _percentage(_WHOLE * theirs / ours) if ours and theirs else None


def _captured(described: Sequence[Variants]) -> float | None:
    for capture in (one.data_capture_config for one in described):
        if capture and capture.enable_capture:
            now, planned = capture.current_sampling_percentage, capture.initial_sampling_percentage
            return _percentage(planned if now is None else now)
    return None


def _percentage(value: float | None) -> float | None:
    """A share that requests can be sampled at; anything else says nothing."""
    return value if value is not None and 0 < value <= _WHOLE else None


def _scheduled_minutes(experiment: Experiment | None) -> float | None:
    """How long the experiment was to run; only its schedule was declared before it."""
    schedule = experiment.schedule if experiment else None
    return schedule.minutes if schedule else None


def _live_since(file: EndpointFile) -> tuple[datetime | None, bool]:
    """Since when the compared configuration has been serving, and whether it may be later.

    An experiment has its own start. Scaling also modifies an endpoint without changing what it
    serves: then only the configuration's creation is certain, before which it cannot have served.
    """
    endpoint = file.describe_endpoint
    if file.began is not None:
        return file.began, False
    config = file.describe_endpoint_config
    created = config.creation_time if config else None
    modified = endpoint.last_modified_time if endpoint else None
    if modified is None:
        return created, created is not None
    scaled = any(
        one.start_time <= modified <= (one.end_time or one.start_time) + _SETTLING
        for one in file.scaled
    )
    return (created, created is not None) if scaled else (modified, False)
