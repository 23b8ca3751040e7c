"""What endpoint.json says of the endpoint: roles, models, samplings, instances, since when.

In: the raw answers of DescribeEndpoint, DescribeEndpointConfig and DescribeInferenceExperiment and
the scaling activities, each under its name, as boto3 or the AWS command line writes them. Out:
asking AWS for them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from analyzer.errors import AccessError, InputError
from analyzer.metrics.metric import EndpointFacts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SETTLING = timedelta(minutes=5)
"""How long after a scaling activity the endpoint still counts as modified by it."""
_REVERTING = timedelta(hours=1)
"""How long after its experiment's end the endpoint may still be put back to what it was."""
_RUNNING = frozenset({None, "Running", "Updating", "Stopping"})
_OVER = frozenset({"Completed", "Cancelled"})
_WHOLE = 100


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _unwrapped(value: object) -> object:
    """A DescribeScalingActivities answer or the list within it."""
    return value.get("ScalingActivities", []) if isinstance(value, dict) else value


Moment = Annotated[datetime, AfterValidator(_utc)]


class _Answer(BaseModel):
    """Part of an AWS answer; the keys this tool does not use are ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, allow_inf_nan=False)


class _Variant(_Answer):
    variant_name: str
    model_name: str | None = None
    current_weight: float | None = None
    initial_variant_weight: float | None = None
    current_instance_count: int | None = None
    initial_instance_count: int | None = None

    @property
    def weight(self) -> float | None:
        return self.initial_variant_weight if self.current_weight is None else self.current_weight

    @property
    def instances(self) -> int | None:
        return self.current_instance_count or self.initial_instance_count


class _Capture(_Answer):
    enable_capture: bool = True
    initial_sampling_percentage: float | None = None
    current_sampling_percentage: float | None = None


class _Variants(_Answer):
    endpoint_name: str | None = None
    production_variants: tuple[_Variant, ...] = ()
    shadow_production_variants: tuple[_Variant, ...] = ()
    data_capture_config: _Capture | None = None
    creation_time: Moment | None = None
    last_modified_time: Moment | None = None


class _RealTime(_Answer):
    instance_count: int | None = None


class _Infrastructure(_Answer):
    real_time_inference_config: _RealTime = _RealTime()


class _ExperimentVariant(_Answer):
    variant_name: str
    model_name: str | None = None
    infrastructure_config: _Infrastructure = _Infrastructure()


class _Shadow(_Answer):
    shadow_model_variant_name: str
    sampling_percentage: float | None = None


class _ShadowMode(_Answer):
    source_model_variant_name: str
    shadow_model_variants: tuple[_Shadow, ...] = ()


class _Schedule(_Answer):
    start_time: Moment | None = None
    end_time: Moment | None = None

    @property
    def minutes(self) -> float | None:
        if self.start_time is None or self.end_time is None or self.end_time <= self.start_time:
            return None
        return (self.end_time - self.start_time).total_seconds() / 60


class _Experiment(_Answer):
    shadow_mode_config: _ShadowMode | None = None
    model_variants: tuple[_ExperimentVariant, ...] = ()
    schedule: _Schedule | None = None
    creation_time: Moment | None = None
    completion_time: Moment | None = None
    last_modified_time: Moment | None = None
    status: str | None = None

    @property
    def ended(self) -> datetime | None:
        scheduled = self.schedule.end_time if self.schedule else None
        return self.completion_time or self.last_modified_time or scheduled


class _Scaling(_Answer):
    start_time: Moment
    end_time: Moment | None = None


class _EndpointFile(_Answer):
    describe_endpoint: _Variants | None = None
    describe_endpoint_config: _Variants | None = None
    describe_inference_experiment: _Experiment | None = None
    scaling_activities: Annotated[tuple[_Scaling, ...] | None, BeforeValidator(_unwrapped)] = None


def read_endpoint(path: Path) -> EndpointFacts:
    """The endpoint facts in an endpoint.json file; None where it is silent.

    The shadow percentage is the experiment's, else the shadow's weight over production's; for a
    shadow variant the weight is the share of production's requests it is sent.

    Raises:
        AccessError: the file cannot be opened.
        InputError: not JSON, none of the four answers, or an answer of another form.
    """
    try:
        return endpoint_facts(path.read_bytes(), path.name)
    except OSError as error:
        raise AccessError(f"{path}: {error.strerror}", code="unreadable") from None


def endpoint_facts(answers: bytes | str, name: str) -> EndpointFacts:
    """As `read_endpoint`, of JSON that is called `name` where it is at fault."""
    try:
        file = _EndpointFile.model_validate_json(answers)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        text = f"{name}: {where + ': ' if where else ''}{first['msg']}"
        raise InputError(text, code="endpoint-file") from None
    if not file.model_fields_set:
        known = ", ".join(to_pascal(one) for one in _EndpointFile.model_fields)
        raise InputError(f"{name}: expected the keys {known}", code="endpoint-file")
    return _facts(_without_other_test(file))


def _without_other_test(file: _EndpointFile) -> _EndpointFile:
    """The answers without an experiment that says nothing of what the endpoint runs.

    One that has not begun was never live. One that is over still describes its own time, unless the
    endpoint was given a shadow or another configuration since: then these are what is judged.
    """
    experiment = file.describe_inference_experiment
    if experiment is None or experiment.status in _RUNNING:
        return file
    described = [one for one in (file.describe_endpoint, file.describe_endpoint_config) if one]
    shadowed = any(one.shadow_production_variants for one in described)
    modified = file.describe_endpoint.last_modified_time if file.describe_endpoint else None
    ended = experiment.ended
    since = modified is not None and (ended is None or modified > ended + _REVERTING)
    if experiment.status in _OVER and not shadowed and not since:
        return file
    return file.model_copy(update={"describe_inference_experiment": None})


def _facts(file: _EndpointFile) -> EndpointFacts:
    # The configuration names the models, the endpoint the present weights and counts.
    described = [one for one in (file.describe_endpoint, file.describe_endpoint_config) if one]
    production = _only([one.production_variants for one in described])
    shadow = _only([one.shadow_production_variants for one in described])
    experiment = file.describe_inference_experiment
    mode = experiment.shadow_mode_config if experiment else None
    shadows = mode.shadow_model_variants if mode else ()
    production_name = mode.source_model_variant_name if mode else _name(production)
    shadow_name = shadows[0].shadow_model_variant_name if shadows else _name(shadow)
    sampled = shadows[0].sampling_percentage if shadows else None
    return EndpointFacts(
        name=file.describe_endpoint.endpoint_name if file.describe_endpoint else None,
        production_variant=production_name,
        shadow_variant=shadow_name,
        production_model=_model(production_name, production, experiment),
        shadow_model=_model(shadow_name, shadow, experiment),
        shadow_percentage=_percentage(sampled) or _weighed(production, shadow),
        capture_percentage=_captured(described),
        production_instances=_instances(production_name, production, experiment),
        shadow_instances=_instances(shadow_name, shadow, experiment),
        live_since=_live_since(file),
        scaled_at=tuple(sorted(one.end_time or one.start_time for one in _scaled(file))),
        scheduled_minutes=_scheduled_minutes(experiment),
    )


def _only(answers: Sequence[tuple[_Variant, ...]]) -> tuple[_Variant, ...]:
    """The same variant in each answer that has exactly one; a choice between several is no role."""
    return tuple(variants[0] for variants in answers if len(variants) == 1)


def _name(variants: Sequence[_Variant]) -> str | None:
    return variants[0].variant_name if variants else None


def _model(
    name: str | None, variants: Sequence[_Variant], experiment: _Experiment | None
) -> str | None:
    named = [one.model_name for one in variants if one.variant_name == name]
    tried = [one.model_name for one in _tried(experiment) if one.variant_name == name]
    return next((model for model in (*named, *tried) if model), None)


def _instances(
    name: str | None, variants: Sequence[_Variant], experiment: _Experiment | None
) -> int | None:
    now = [one.instances for one in variants if one.variant_name == name]
    planned = [
        one.infrastructure_config.real_time_inference_config.instance_count
        for one in _tried(experiment)
        if one.variant_name == name
    ]
    return next((count for count in (*now, *planned) if count), None)


def _tried(experiment: _Experiment | None) -> tuple[_ExperimentVariant, ...]:
    return experiment.model_variants if experiment else ()


def _weighed(production: Sequence[_Variant], shadow: Sequence[_Variant]) -> float | None:
    ours = next((one.weight for one in production if one.weight), None)
    theirs = next((one.weight for one in shadow if one.weight), None)
    return _percentage(_WHOLE * theirs / ours) if ours and theirs else None


def _captured(described: Sequence[_Variants]) -> float | None:
    for capture in (one.data_capture_config for one in described):
        if capture and capture.enable_capture:
            now, planned = capture.current_sampling_percentage, capture.initial_sampling_percentage
            return _percentage(planned if now is None else now)
    return None


def _percentage(value: float | None) -> float | None:
    """A share that requests can be sampled at; anything else says nothing."""
    return value if value is not None and 0 < value <= _WHOLE else None


def _scaled(file: _EndpointFile) -> tuple[_Scaling, ...]:
    return file.scaling_activities or ()


def _scheduled_minutes(experiment: _Experiment | None) -> float | None:
    """How long the experiment was to run; only its schedule was declared before it."""
    schedule = experiment.schedule if experiment else None
    return schedule.minutes if schedule else None


def _live_since(file: _EndpointFile) -> datetime | None:
    """Since when the compared configuration has been serving, as far as can be known.

    An experiment has its own start. Scaling also modifies an endpoint without changing what it
    serves: then only the configuration's creation is certain, before which it cannot have served.
    """
    experiment, endpoint = file.describe_inference_experiment, file.describe_endpoint
    if experiment and experiment.shadow_mode_config:
        start = experiment.schedule.start_time if experiment.schedule else None
        return start or experiment.creation_time
    config = file.describe_endpoint_config
    created = config.creation_time if config else None
    modified = endpoint.last_modified_time if endpoint else None
    if modified is None:
        return created
    scaled = any(
        one.start_time <= modified <= (one.end_time or one.start_time) + _SETTLING
        for one in _scaled(file)
    )
    return created if scaled else modified
