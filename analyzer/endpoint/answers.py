"""endpoint.json as it is written: AWS's raw answers, each under its name.

In: one file's bytes -> its answers, without an experiment that does not speak of what is judged.
Out: what they mean (`facts`), and what several files say in turn (`several`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from analyzer.errors import InputError, unopened

if TYPE_CHECKING:
    from pathlib import Path

REVERTING = timedelta(hours=1)
"""How long after its experiment's end the endpoint may still be put back to what it was."""
_RUNNING = frozenset({None, "Running", "Updating", "Stopping"})
OVER = frozenset({"Completed", "Cancelled"})


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _unwrapped(value: object) -> object:
    """A DescribeScalingActivities answer or the list within it."""
    return value.get("ScalingActivities", []) if isinstance(value, dict) else value


Moment = Annotated[datetime, AfterValidator(_utc)]


class _Answer(BaseModel):
    """Part of an AWS answer; the keys this tool does not use are ignored."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, allow_inf_nan=False)


class Variant(_Answer):
    """One variant, as an endpoint runs it or its configuration plans it."""

    variant_name: str
    model_name: str | None = None
    current_weight: float | None = None
    initial_variant_weight: float | None = None
    current_instance_count: int | None = None
    initial_instance_count: int | None = None

    @property
    def weight(self) -> float | None:
        """Its weight now, else as planned."""
        return self.initial_variant_weight if self.current_weight is None else self.current_weight

    @property
    def instances(self) -> int | None:
        """How many it has now, else as planned."""
        return self.current_instance_count or self.initial_instance_count


class _Capture(_Answer):
    enable_capture: bool = True
    initial_sampling_percentage: float | None = None
    current_sampling_percentage: float | None = None


class Variants(_Answer):
    """An endpoint or its configuration: both answers name these alike."""

    endpoint_name: str | None = None
    endpoint_config_name: str | None = None
    production_variants: tuple[Variant, ...] = ()
    shadow_production_variants: tuple[Variant, ...] = ()
    data_capture_config: _Capture | None = None
    creation_time: Moment | None = None
    last_modified_time: Moment | None = None


class _RealTime(_Answer):
    instance_count: int | None = None


class _Infrastructure(_Answer):
    real_time_inference_config: _RealTime = _RealTime()


class ExperimentVariant(_Answer):
    """One variant, as an experiment plans it."""

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


class Experiment(_Answer):
    """An inference experiment."""

    shadow_mode_config: _ShadowMode | None = None
    model_variants: tuple[ExperimentVariant, ...] = ()
    schedule: _Schedule | None = None
    creation_time: Moment | None = None
    completion_time: Moment | None = None
    last_modified_time: Moment | None = None
    status: str | None = None

    @property
    def ended(self) -> datetime | None:
        """When it was over, as far as the answer tells."""
        scheduled = self.schedule.end_time if self.schedule else None
        return self.completion_time or self.last_modified_time or scheduled


class Scaling(_Answer):
    """One scaling activity; without an end it was still going on."""

    activity_id: str | None = None
    start_time: Moment
    end_time: Moment | None = None
    status_code: str | None = None


class EndpointFile(_Answer):
    """Every answer a file may hold; None where it lacks it."""

    describe_endpoint: Variants | None = None
    describe_endpoint_config: Variants | None = None
    describe_inference_experiment: Experiment | None = None
    scaling_activities: Annotated[tuple[Scaling, ...] | None, BeforeValidator(_unwrapped)] = None

    @property
    def endpoint_name(self) -> str | None:
        """Whose description it is."""
        return self.describe_endpoint.endpoint_name if self.describe_endpoint else None

    @property
    def config_name(self) -> str | None:
        """The configuration the endpoint has."""
        described = (self.describe_endpoint, self.describe_endpoint_config)
        names = [one.endpoint_config_name for one in described if one]
        return next((name for name in names if name), None)

    @property
    def scaled(self) -> tuple[Scaling, ...]:
        """The scaling activities, none where they were not asked for."""
        return self.scaling_activities or ()

    @property
    def began(self) -> datetime | None:
        """Since when the experiment, if there is one, has been copying requests."""
        experiment = self.describe_inference_experiment
        if experiment is None or experiment.shadow_mode_config is None:
            return None
        start = experiment.schedule.start_time if experiment.schedule else None
        return start or experiment.creation_time


def opened(path: Path, name: str) -> EndpointFile:
    """The answers of a file.

    Raises:
        AccessError: it cannot be opened.
        InputError: it is not there, or as `parsed`.
    """
    try:
        return parsed(path.read_bytes(), name)
    except OSError as error:
        raise unopened(path, error) from None


def parsed(answers: bytes | str, name: str) -> EndpointFile:
    """The answers in JSON that is called `name` where it is at fault.

    Raises:
        InputError: not JSON, none of the four answers, or an answer of another form.
    """
    try:
        file = EndpointFile.model_validate_json(answers)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        text = f"{name}: {where + ': ' if where else ''}{first['msg']}"
        raise InputError(text, code="endpoint-file") from None
    if not file.model_fields_set:
        known = ", ".join(to_pascal(one) for one in EndpointFile.model_fields)
        raise InputError(f"{name}: expected the keys {known}", code="endpoint-file")
    return _without_other_test(file)


def _without_other_test(file: EndpointFile) -> EndpointFile:
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
    since = modified is not None and (ended is None or modified > ended + REVERTING)
    if experiment.status in OVER and not shadowed and not since:
        return file
    return file.model_copy(update={"describe_inference_experiment": None})
