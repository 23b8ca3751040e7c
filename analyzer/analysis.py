"""One run, from what the command line asked to a verdict and its tables: the one orchestration.

Every step is somebody else's; this module only puts them in order:
policy -> captures -> pairs -> window -> CloudWatch points -> facts -> evidence -> gates -> verdict.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer import __version__
from analyzer.cloudwatch import dropped_notes, endpoint_files, open_exports
from analyzer.endpoint import read_endpoint, read_endpoints
from analyzer.errors import AnalyzerError, UsageError
from analyzer.figures import counted, grouped, percent
from analyzer.gates import GATES
from analyzer.gates.pairs import other_inputs
from analyzer.gates.sampling import expected_sampling
from analyzer.labels.files import find_labels
from analyzer.metrics import DEFAULTS, METRICS, asked, fitting
from analyzer.metrics.exports import how_to_export
from analyzer.metrics.looking import looking_notes, looking_of
from analyzer.metrics.metric import EndpointFacts, Facts, applies
from analyzer.metrics.replay import observed
from analyzer.metrics.sliced import slice_notes, sliced
from analyzer.metrics.tables import bundle_tables
from analyzer.model import (
    Decision,
    Inputs,
    Ledger,
    Mode,
    Note,
    Pairing,
    PolicyRecord,
    Reason,
    Subject,
    Tool,
    Verdict,
    Window,
)
from analyzer.policy.files import load_policy
from analyzer.reading.captures import read_captures
from analyzer.reading.noise_floor import RunFacts, find_floor, fitted, floor_notes
from analyzer.reading.opening import EngineLimits
from analyzer.reading.subject import (
    Flags,
    Names,
    called,
    described,
    metrics_alone,
    names_of,
    replay_among,
)
from analyzer.reading.window import asked_span, measured_window
from analyzer.sources import AwsOptions, Listing, discover
from analyzer.steps import JUDGING
from analyzer.verdict import EXIT_CODES, Words, decide
from analyzer.verdict.opt_outs import not_asked, opt_outs

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from analyzer.cloudwatch import MetricExport
    from analyzer.model import Evidence, Gate, NoiseFloor
    from analyzer.reading.captured import Captured
    from analyzer.reading.window import Span
    from analyzer.spark.driver import SparkPlan
    from analyzer.steps import Progress

TOOL = "shadow-analyzer"


@dataclass(frozen=True)
class Request:
    """What the command line asked; only where things are, never how they are judged."""

    source: str | None = None
    endpoint: str | None = None
    production: str | None = None
    shadow: str | None = None
    cloudwatch: tuple[str, ...] = ()
    labels: str | None = None
    noise_floor: str | None = None
    policy_file: Path | None = None
    overrides: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    endpoint_file: Path | None = None
    memory_limit: str | None = None
    threads: int | None = None
    use_cache: bool = True
    spark: SparkPlan | None = None
    aws: AwsOptions = field(default_factory=AwsOptions)

    @property
    def engine(self) -> EngineLimits:
        """What the engine may use."""
        return EngineLimits(self.memory_limit, self.threads, self.use_cache, self.spark)

    @property
    def flags(self) -> Flags:
        """What says whose captures and metrics are meant."""
        return Flags(self.source, self.endpoint, self.production, self.shadow)


@dataclass(frozen=True)
class Analysis:
    """A finished run."""

    verdict: Verdict
    tables: dict[str, pl.DataFrame]
    remarks: tuple[str, ...] = ()


def run(request: Request, progress: Progress) -> Analysis:
    """Judge one shadow test.

    Raises:
        AnalyzerError: the run cannot go on; its class carries the exit code.
    """
    policy = load_policy(request.policy_file, DEFAULTS, request.overrides)
    span = asked_span(request.since, request.until)
    endpoint, differing = _endpoint(request)
    looking_of(policy, endpoint)  # a test that cannot be judged as asked stops before it is read
    exports = open_exports([Path(path) for path in request.cloudwatch])
    listing = _listing(request, endpoint, span, progress)
    replayed = replay_among(listing, request.cloudwatch)
    given, policy = policy, asked(policy, labelled=request.labels is not None, replayed=replayed)
    names = names_of(request.flags, listing, endpoint, exports)
    export = exports.select(endpoint=names.endpoint, variants=names.variants)
    exports.require_points(export)
    found = None
    if request.noise_floor is not None and listing is not None:
        asking = RunFacts(policy, names, endpoint, listing, request.engine)
        found = find_floor(request.noise_floor, asking, progress)
    labels = None if request.labels is None else find_labels(request.labels, request.aws)
    captured = (
        read_captures(listing, policy, span, request.engine, progress, labels=labels)
        if listing is not None
        else None
    )
    floor = fitted(found, captured) if found is not None and captured is not None else None
    start, end = (
        (captured.start, captured.end)
        if captured is not None
        else measured_window(export.points, span)
    )
    facts = Facts(
        policy=policy,
        mode=Mode.REPLAY if replayed else _mode(captured, export),
        start=start,
        end=end,
        metric_points=export.points,
        points_dropped=export.dropped,
        points_endpoints=export.endpoints,
        inputs=_inputs(listing, captured, export, endpoint, floor),
        captures=captured.facts if captured is not None else None,
        endpoint=endpoint,
        asked=span,
        floor=floor,
        called=called(request.flags, listing, names),
    )
    noted = captured.notes if captured is not None else ()
    listed = tuple(note for one in (listing, labels) if one is not None for note in one.notes)
    apart = not_asked(given, replayed=replayed)
    unused = dropped_notes(export.dropped)
    notes = (*noted, *listed, *apart, *differing, *unused, *export.notes)
    jobs = listing is not None and listing.batch
    judged = _judge(facts, names, notes, progress, jobs=jobs)
    return replace(judged, remarks=captured.remarks) if captured is not None else judged


def error_verdict(error: AnalyzerError) -> Verdict:
    """The verdict of a run that could not go on: it claims nothing but why."""
    said = str(error) if str(error).endswith((".", "!", "?")) else f"{error}."
    reason = Reason(code=error.code, text=said, advice="Mend the cause and run again.")
    return Verdict(
        tool=Tool(name=TOOL, version=__version__),
        decision=Decision.ERROR,
        exit_code=error.exit_code,
        summary=said,
        reasons=(reason,),
        subject=Subject(
            endpoint=None,
            production_variant=None,
            shadow_variant=None,
            change="model",
            mode=Mode.CAPTURES,
        ),
        window=None,
        inputs=Inputs(digest=""),
        policy=PolicyRecord(digest=""),
        ledger=Ledger(),
        pairing=Pairing(),
        gates={},
        metrics={},
    )


def _judge(
    facts: Facts, names: Names, notes: tuple[Note, ...], progress: Progress, *, jobs: bool
) -> Analysis:
    """Facts -> evidence -> gates -> verdict; batch-transform jobs have no metrics to export."""
    evidence: dict[str, Evidence] = {}
    asked_ = tuple(fitting(facts))
    for done, (metric, rule) in enumerate(asked_):
        progress(JUDGING, done, len(asked_))
        evidence[metric.id] = metric.assess(facts, rule)
    progress(JUDGING, len(asked_), len(asked_))
    replayed = facts.mode is Mode.REPLAY
    gates: dict[str, Gate] = {
        gate.id: gate.check(facts, evidence)
        for gate in GATES
        if applies(gate.asked_of, replayed=replayed)
    }
    slices = sliced(facts, evidence)
    judged = decide(evidence, gates, _words(), slices, observed(facts))
    how = None if jobs else how_to_export(facts, judged.evidence, endpoint=names.endpoint)
    verdict = Verdict(
        tool=Tool(name=TOOL, version=__version__),
        decision=judged.decision,
        exit_code=EXIT_CODES[judged.decision],
        summary=judged.summary,
        reasons=judged.reasons,
        notes=(
            *opt_outs(facts.policy),
            *looking_notes(facts),
            *floor_notes(facts.floor),
            *_pairing_notes(facts),
            *slice_notes(slices),
            *notes,
            *((how,) if how else ()),
        ),
        subject=_subject(facts, names),
        window=_window(facts),
        inputs=facts.inputs,
        policy=PolicyRecord(
            digest=facts.policy.digest, effective=facts.policy.model_dump(mode="json")
        ),
        ledger=facts.captures.ledger if facts.captures else Ledger(),
        pairing=_pairing(facts),
        gates=gates,
        metrics=judged.evidence,
        noise_floor=facts.floor,
        slices=slices,
    )
    return Analysis(verdict=verdict, tables=bundle_tables(facts, slices))


def _endpoint(request: Request) -> tuple[EndpointFacts | None, tuple[Note, ...]]:
    """endpoint.json as given, else all that lie beside the metric rows."""
    if request.endpoint_file is not None:
        return read_endpoint(request.endpoint_file), ()
    beside = endpoint_files([Path(path) for path in request.cloudwatch])
    return read_endpoints(beside, request.endpoint)


def _listing(
    request: Request,
    endpoint: EndpointFacts | None,
    span: Span,
    progress: Progress,
) -> Listing | None:
    """The capture objects; None for a run from metrics alone."""
    if metrics_alone(request.flags):
        if not request.cloudwatch:
            raise UsageError(
                "nothing to read: give SOURCE, or --production PATH and --shadow PATH, "
                "or --endpoint NAME with --cloudwatch PATH"
            )
        for given, flag in ((request.labels, "labels"), (request.noise_floor, "noise-floor")):
            if given is not None:
                raise UsageError(f"--{flag}: no captured answers to judge; give SOURCE")
        return None
    listing = discover(
        request.source,
        endpoint=request.endpoint,
        production=request.production,
        shadow=request.shadow,
        since=span[0],
        until=span[1],
        aws=request.aws,
        roles=described(endpoint),
        on_listed=lambda count: progress("listing", count, None),
    )
    progress("listing", listing.listed, listing.listed)
    return listing


def _mode(captured: Captured | None, export: MetricExport) -> Mode:
    if captured is None:
        return Mode.METRICS
    return Mode.CAPTURES if export.points.is_empty() else Mode.CLOUDWATCH


def _inputs(
    listing: Listing | None,
    captured: Captured | None,
    export: MetricExport,
    endpoint: EndpointFacts | None,
    floor: NoiseFloor | None,
) -> Inputs:
    """What was read, and a digest of its content that no order of files or lines changes."""
    parts = [captured.digest if captured else "", export.digest, repr(endpoint)]
    parts += [floor.digest] if floor else []
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    failed = captured.failed if captured else {}
    return Inputs(
        digest=f"sha256:{digest}",
        objects_listed=listing.listed if listing else 0,
        objects_read=len(listing.objects) + len(listing.sidecars) - sum(failed.values())
        if listing
        else 0,
        objects_skipped=dict(sorted(listing.skipped.items())) if listing else {},
        objects_failed=dict(failed),
        bytes=captured.size if captured else 0,
        metric_points=export.points.height,
        metric_points_dropped=dict(sorted(export.dropped.items())),
    )


def _pairing(facts: Facts) -> Pairing:
    """Pairing with both samplings: shares of production's requests in 0..1."""
    if facts.captures is None:
        return Pairing()
    production = facts.captures.production_records
    observed = facts.captures.shadow_records / production if production else None
    sampling = {"observed_sampling": observed, "expected_sampling": expected_sampling(facts)}
    return Pairing.model_validate({**facts.captures.pairing.model_dump(), **sampling})


def _subject(facts: Facts, names: Names) -> Subject:
    endpoint = facts.endpoint
    return Subject(
        endpoint=names.endpoint,
        production_variant=names.production,
        shadow_variant=names.shadow,
        production_model=endpoint.production_model if endpoint else None,
        shadow_model=endpoint.shadow_model if endpoint else None,
        change=facts.policy.change,
        mode=facts.mode,
    )


def _window(facts: Facts) -> Window | None:
    if facts.start is None or facts.end is None:
        return None
    return Window(start=_stamp(facts.start), end=_stamp(facts.end))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _words() -> dict[str, Words]:
    words = {metric.id: Words(metric.title, metric.advice) for metric in METRICS}
    return words | {gate.id: Words(gate.id, gate.advice) for gate in GATES}


def _pairing_notes(facts: Facts) -> tuple[Note, ...]:
    """Which weaker key found pairs, and how many."""
    if facts.captures is None:
        return ()
    pairs, found = facts.captures.ledger.pairs, facts.captures.pairing
    of_all = f"of {counted(pairs, 'pair')}"
    notes = []
    if found.by_payload:
        text = f"{grouped(found.by_payload)} {of_all} were found by equal payload, nearest in time"
        notes.append(
            Note(code="paired-by-payload", text=f"{text}: weaker than an InferenceId of the client")
        )
    if found.by_event_id:
        text = (
            f"{grouped(found.by_event_id)} {of_all} were found by event ID: "
            f"{percent(found.event_id_overlap)} of the shadow's occur in production"
        )
        notes.append(Note(code="paired-by-event-id", text=text))
    if found.repeated_ids:
        text = f"{counted(found.repeated_ids, 'inference ID')} stand for several requests each"
        notes.append(
            Note(code="repeated-inference-ids", text=f"{text}; paired by payload and time within")
        )
    if other := other_inputs(facts.captures):
        text = f"{grouped(other)} {of_all} have another input at the shadow than at production"
        notes.append(Note(code="other-inputs", text=text))
    if contradictions := facts.captures.contradictions:
        text = (
            f"{counted(contradictions, 'record')} of {grouped(facts.captures.ledger.duplicate)} "
            "that repeat an event give another input or answer than the one that is kept"
        )
        notes.append(Note(code="contradictions", text=text))
    return tuple(notes)
