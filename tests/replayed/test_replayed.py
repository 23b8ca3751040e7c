"""Whole runs on a replay: what rejects, what promotes, what holds and says what is missing."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock
from unittest.mock import DEFAULT

import polars as pl
import pytest

from analyzer import analysis
from analyzer.bundle import verdict_schema
from analyzer.console.progress import silent
from analyzer.errors import UsageError
from analyzer.model import Decision, Outcome
from analyzer.payloads.comparison import prepare
from analyzer.reading import captures
from analyzer.reading.opening import Opening
from analyzer.replayed import sidecar
from analyzer.replayed.outcomes import read_sidecars
from analyzer.verdict.cross_check import contradiction
from tests.examples import examples
from tests.replay import replay_builders
from tests.replay.replay_builders import World, build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from analyzer.analysis import Analysis
    from analyzer.asked import Asked
    from analyzer.model import Verdict
    from analyzer.payloads.missing import Unpaired
    from analyzer.policy import Policy
    from analyzer.reading.opening import Opened

LATENCY = ("latency_mean", "latency_p99", "latency_p95")
JUDGING = ("metrics.", "inference=", "final=")
"""Beginnings of what a policy says of judging alone: captures opened for one are so for all."""


class OpenedOnce:
    """Captures that are parsed, paired and compared once: sidecars change none of them.

    What the product does with a sidecar, and all judging, is done anew for every run.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._opened: dict[str, Opened] = {}
        self._compared: dict[str, dict[str, pa.Table]] = {}

    def run(self, production: str, shadow: str, *policy: str) -> Analysis:
        """`analyzer run --production PATH --shadow PATH`."""
        asked = [text for text in policy if not text.startswith(JUDGING)]
        lines = hashlib.sha256(repr((asked, Path(shadow).name)).encode())
        for path in (production, shadow):
            for file in sorted(Path(path).rglob("*.jsonl")):
                if "baseline" not in file.parts:  # nor do the baseline's answers
                    lines.update(hashlib.sha256(file.read_bytes()).digest())
        key = lines.hexdigest()

        @contextmanager
        def here(opening: Opening) -> Iterator[Opened]:
            if key not in self._opened:
                self._opened[key] = self._stack.enter_context(_here(opening))
                yield self._opened[key]
                return
            known = self._opened[key]
            sidecars = partial(read_sidecars, known.engine.folder, opening.listing)
            done = mock.patch.multiple(known.captures, pair=DEFAULT, set_window=DEFAULT)
            with done:
                yield replace(known, sidecars=sidecars)

        def compare(
            engine: Asked, rules: Policy, *, unpaired: Unpaired | None = None
        ) -> dict[str, pa.Table]:
            if key not in self._compared:
                self._compared[key] = prepare(engine, rules, unpaired=unpaired)
            return dict(self._compared[key])

        with (
            mock.patch.object(Opening, "here", here),
            mock.patch.object(captures, "prepare", compare),
        ):
            return replay_builders.run(production, shadow, *policy)


_here = Opening.here
_once: list[OpenedOnce] = []


@pytest.fixture(scope="module", autouse=True)
def _opened_once() -> Iterator[None]:
    with ExitStack() as stack:
        _once.append(OpenedOnce(stack))
        yield
        _once.clear()


def run(production: str, shadow: str, *policy: str) -> Analysis:
    """The same, by what this module's tests share."""
    return _once[0].run(production, shadow, *policy)


def judged(folder: Path, world: World, *policy: str) -> Analysis:
    """The verdict on a world."""
    production, out = build(folder, world)
    return run(str(production), str(out / "churn" / "candidate"), *policy)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Callable[[World], Analysis]:
    """The verdict on a world that several tests ask about."""
    return cache(lambda world: judged(tmp_path_factory.mktemp("world"), world))


def reason_codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def fail(variant: Path, chosen: pl.Expr) -> None:
    """Make the chosen requests of a sidecar failures."""
    frame = pl.DataFrame(sidecar.read(variant / sidecar.NAME))
    broken = frame.with_columns(
        error_code=pl.when(chosen).then(pl.lit("status")),
        status=pl.when(chosen).then(500).otherwise(200).cast(pl.Int32),
    )
    sidecar.write(variant, broken.to_arrow().cast(sidecar.SCHEMA))


def note_codes(verdict: Verdict, metric: str) -> set[str]:
    return {note.code for note in verdict.metrics[metric].notes}


def test_an_equal_candidate_is_promoted_at_the_rate_and_on_the_machine_of_the_replay(
    known: Callable[[World], Analysis],
) -> None:
    done = known(World())
    verdict = done.verdict
    assert verdict.decision is Decision.PROMOTE
    assert "at 50 requests/s on this machine" in verdict.summary
    assert verdict.subject.mode == "replay"
    assert {key for key, item in verdict.metrics.items() if item.required} == {
        "latency_mean",
        "latency_p99",
        "failure_rate",
        "contract_change",
    }
    assert contradiction(verdict) is None
    assert verdict.inputs.objects_listed == verdict.inputs.objects_read == 4
    assert {"replay_latency", "replay_distribution"} <= set(done.tables)
    assert "replay_outcomes" not in done.tables
    assert verdict_schema()


def test_only_what_a_replay_can_answer_is_asked_of_it(
    known: Callable[[World], Analysis],
) -> None:
    verdict = known(World(requests=1_200)).verdict
    assert not {"error_5xx_rate", "overhead_latency", "cpu_utilization"} & set(verdict.metrics)
    assert not {"min_days", "coverage", "load_match", "sampling"} & set(verdict.gates)
    assert {"open_loop", "interleaved", "pairing", "prediction_evidence"} <= set(verdict.gates)


def test_a_candidate_a_fifth_slower_is_rejected(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(slower=1.2)).verdict
    assert verdict.decision is Decision.REJECT
    assert "latency-mean-regression" in reason_codes(verdict)
    effect = verdict.metrics["latency_mean"].effect
    assert effect is not None
    assert effect.estimate == pytest.approx(1.2, rel=0.02)


def test_a_candidate_that_fails_one_request_in_a_hundred_is_rejected(
    known: Callable[[World], Analysis],
) -> None:
    verdict = known(World(failing=0.01)).verdict
    assert verdict.decision is Decision.REJECT
    assert reason_codes(verdict)[0] == "failure-rate-regression"


def test_without_a_baseline_latency_holds_and_says_what_to_do(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(baseline=False)).verdict
    assert verdict.decision is Decision.HOLD
    assert reason_codes(verdict) == ["latency-mean-unresolved", "latency-p99-unresolved"]
    assert "--baseline" in verdict.reasons[0].advice
    mean = verdict.metrics["latency_mean"]
    assert mean.production is None
    assert mean.shadow == pytest.approx(41.4, abs=1)
    assert verdict.metrics["failure_rate"].outcome is Outcome.PASS
    assert "production-answered" in note_codes(verdict, "failure_rate")


def test_failures_without_a_baseline_reject_all_the_same(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(baseline=False, failing=0.01)).verdict
    assert verdict.decision is Decision.REJECT


def test_late_sends_make_latency_the_senders_and_judge_none(tmp_path: Path) -> None:
    """A fifth slower, and yet no rejection: what was measured is not the server alone."""
    verdict = judged(tmp_path, World(slower=1.2, late_s=0.02, late_share=0.03)).verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.gates["open_loop"].closed
    for metric in LATENCY:
        assert verdict.metrics[metric].outcome is Outcome.UNRESOLVED
        assert "closed-loop" in note_codes(verdict, metric)
    assert verdict.metrics["latency_mean"].shadow == pytest.approx(49.7, abs=1)
    assert contradiction(verdict) is None


def test_requests_that_are_all_due_at_once_have_no_pace_at_which_latency_could_pass(
    tmp_path: Path,
) -> None:
    """Whether sends were quick or not: a fifth slower, and yet no rejection."""
    verdict = judged(tmp_path, World(slower=1.2, paced=False)).verdict
    gate = verdict.gates["open_loop"]
    assert (gate.closed, gate.value) == (True, None)
    assert gate.text.startswith("Replayed at full speed: ")
    assert "--speed captured" in gate.text
    for metric in LATENCY:
        assert verdict.metrics[metric].outcome is Outcome.UNRESOLVED
        (note,) = (one for one in verdict.metrics[metric].notes if one.code == "closed-loop")
        assert note.text.startswith("replayed at full speed")
    assert contradiction(verdict) is None


def test_at_full_speed_an_answer_took_as_long_as_since_its_own_sending(tmp_path: Path) -> None:
    world = World(baseline=False, paced=False, late_s=1.0, late_share=1.0)
    verdict = judged(tmp_path, world).verdict
    assert verdict.metrics["latency_mean"].shadow == pytest.approx(41.6, abs=1)


def test_a_fast_server_s_late_sends_are_judged_at_the_margin_of_its_level(tmp_path: Path) -> None:
    """At two milliseconds the margin of two more is a ratio of its own, measured or not."""
    world = World(requests=1_200, base_s=0.002, late_s=0.02, late_share=0.03)
    verdict = judged(tmp_path, world).verdict
    assert verdict.metrics["latency_mean"].margin == 1.5
    assert contradiction(verdict) is None


def test_a_few_late_sends_count_with_their_waiting(
    tmp_path: Path, known: Callable[[World], Analysis]
) -> None:
    on_time = known(World()).verdict.metrics["latency_mean"]
    late = judged(tmp_path / "b", World(late_s=1.0, late_share=0.005)).verdict
    assert not late.gates["open_loop"].closed
    assert on_time.shadow is not None
    assert late.metrics["latency_mean"].shadow == pytest.approx(on_time.shadow + 5, abs=1.5)


def test_a_baseline_sent_after_the_candidate_is_no_baseline(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(together=False)).verdict
    assert verdict.decision is Decision.HOLD
    assert "gate-interleaved" in reason_codes(verdict)
    assert verdict.metrics["latency_mean"].outcome is Outcome.UNRESOLVED


def test_failures_both_variants_share_are_nobodys(tmp_path: Path) -> None:
    production, out = build(tmp_path, World(requests=1_200, warm_up=0))
    for variant in ("candidate", "baseline"):
        fail(out / "churn" / variant, pl.col("order") % 4 == 0)
    failures = run(str(production), str(out / "churn" / "candidate")).verdict.metrics[
        "failure_rate"
    ]
    assert failures.effect is not None
    assert failures.effect.estimate == 0
    assert (failures.production, failures.shadow) == (0.25, 0.25)


def test_a_baseline_that_fails_does_not_stand_for_production(tmp_path: Path) -> None:
    """A candidate must not look well beside a broken server."""
    verdict = judged(tmp_path, World(baseline_failing=0.3)).verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.gates["baseline_answers"].closed
    for metric in ("latency_mean", "failure_rate"):
        assert verdict.metrics[metric].outcome is Outcome.UNRESOLVED


def test_failures_while_warming_up_are_not_forgotten(tmp_path: Path) -> None:
    production, out = build(tmp_path, World(warm_up=100))
    fail(out / "churn" / "candidate", pl.col("warm_up"))
    verdict = run(str(production), str(out / "churn" / "candidate")).verdict
    failures = verdict.metrics["failure_rate"]
    assert failures.shadow == 0.02
    assert failures.outcome is Outcome.UNRESOLVED  # one burst, however many requests it met
    assert verdict.metrics["latency_mean"].n.pairs == 4_900


def test_failures_of_the_same_inputs_are_worth_less_than_failures_at_random(
    tmp_path: Path,
) -> None:
    production, out = build(tmp_path, World(repeats=50, warm_up=0))
    candidate = out / "churn" / "candidate"
    shutil.copytree(candidate, tmp_path / "kept")
    worth = []
    for chosen in (pl.col("order") % 50 == 7, pl.col("order") // 50 == 7):
        shutil.copytree(tmp_path / "kept", candidate, dirs_exist_ok=True)
        fail(candidate, chosen)
        verdict = run(str(production), str(candidate)).verdict
        worth.append(verdict.metrics["failure_rate"].n.effective)
    assert worth[0] == 2_500  # the least design effect
    assert worth[1] is not None
    assert worth[1] < 50


def test_warm_up_requests_are_left_out_and_counted(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(requests=1_200, warm_up=100)).verdict
    assert verdict.metrics["latency_mean"].n.pairs == 1_100
    (said,) = (
        note.text for note in verdict.metrics["latency_mean"].notes if note.code == "response-time"
    )
    assert "100 for warm-up" in said
    assert not verdict.gates["warm_up"].closed


def test_slow_requests_are_not_excused_by_being_called_warm_up(tmp_path: Path) -> None:
    """The slowest hundredth flagged: the tail would be gone."""
    latency = pl.col("done_at") - pl.col("sent_at")
    verdict = judged_after(
        tmp_path,
        lambda frame: frame.with_columns(
            warm_up=pl.col("warm_up") | (latency > latency.quantile(0.99))
        ),
    )
    assert verdict.decision is Decision.HOLD
    assert "gate-warm-up" in reason_codes(verdict)


def test_more_warm_up_than_a_sending_has_is_not_believed(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(warm_up=101)).verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.gates["warm_up"].value == 2  # one of each variant
    assert "gate-warm-up" in reason_codes(verdict)


def test_each_sending_of_an_interrupted_replay_warms_up(tmp_path: Path) -> None:
    again = pl.col("order") >= 3_000
    began = pl.col("began_at") + pl.duration(minutes=again.cast(pl.Int64))

    def resumed(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            began_at=began, warm_up=pl.col("warm_up") | pl.col("order").is_between(3_000, 3_079)
        )

    production, out = build(tmp_path, World())
    for name in ("candidate", "baseline"):
        edit(out / "churn" / name, resumed)
    verdict = run(str(production), str(out / "churn" / "candidate")).verdict
    assert not verdict.gates["warm_up"].closed
    assert verdict.metrics["latency_mean"].n.pairs == 5_000 - 50 - 80


def test_few_requests_settle_no_tail_and_say_how_many_would(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(requests=900)).verdict
    p99 = verdict.metrics["latency_p99"]
    assert p99.outcome is Outcome.UNRESOLVED
    assert p99.needs is not None
    assert p99.needs.requests == 1_000


def test_the_out_folder_of_the_replay_stands_for_its_candidate(
    tmp_path: Path, known: Callable[[World], Analysis]
) -> None:
    production, out = build(tmp_path, World(requests=1_200))
    whole = run(str(production), str(out)).verdict
    named = known(World(requests=1_200)).verdict
    assert whole.subject.shadow_variant == "candidate"
    assert whole.inputs.objects_skipped == {"replay-baseline": 1, "replay-journal": 1}
    assert whole.metrics == named.metrics
    assert whole.inputs.digest == named.inputs.digest


def test_a_replay_beside_its_captures_needs_no_names(tmp_path: Path) -> None:
    """`analyzer replay captures --out captures`, then `analyzer run captures`."""
    build(tmp_path, World(requests=1_200))
    shutil.copytree(
        tmp_path / "replay" / "churn", tmp_path / "captures" / "churn", dirs_exist_ok=True
    )
    request = analysis.Request(source=str(tmp_path / "captures"), use_cache=False)
    verdict = analysis.run(request, silent).verdict
    assert (verdict.subject.production_variant, verdict.subject.shadow_variant) == (
        "v1",
        "candidate",
    )
    assert verdict.subject.mode == "replay"
    assert verdict.inputs.objects_skipped == {"replay-baseline": 1}


def test_a_damaged_sidecar_closes_the_gate_of_objects_and_settles_no_latency(
    tmp_path: Path,
) -> None:
    production, out = build(tmp_path, World(requests=1_200))
    (out / "churn" / "candidate" / sidecar.NAME).write_bytes(b"PAR1 no more")
    verdict = run(str(production), str(out)).verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.inputs.objects_failed == {"bad-sidecar": 1}
    assert verdict.gates["objects"].closed
    assert "no-sidecar" in note_codes(verdict, "latency_mean")
    assert str(tmp_path) not in verdict.to_json()


def test_answers_that_were_not_written_down_are_missing_pairs(tmp_path: Path) -> None:
    """The sidecar counts what was sent, so captures that are gone are missed."""
    production, out = build(tmp_path, World(requests=1_200))
    (captured,) = (out / "churn" / "candidate").rglob("*.jsonl")
    lines = captured.read_bytes().splitlines(keepends=True)
    captured.write_bytes(b"".join(lines[:1_140]))
    gate = run(str(production), str(out)).verdict.gates["missing_pairs"]
    assert gate.closed
    assert gate.value == pytest.approx(0.05)


def test_captures_of_other_requests_are_no_production_of_this_replay(tmp_path: Path) -> None:
    """Nothing pairs, nothing is timed; the sidecar alone promotes nobody."""
    production, out = build(tmp_path, World(requests=1_200))
    (captured,) = production.rglob("*.jsonl")
    text = captured.read_text(encoding="utf-8")
    captured.write_text(text.replace("-4000-8000-", "-4000-9000-"), encoding="utf-8")
    verdict = run(str(production), str(out), "pairing.keys=['event_id']").verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.metrics["latency_mean"].outcome is Outcome.UNRESOLVED
    assert "no-outcomes" in note_codes(verdict, "failure_rate")
    assert verdict.gates["pairing"].closed


def test_what_was_kept_is_not_taken_for_another_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    production, out = build(tmp_path, World(requests=1_200))
    request = analysis.Request(production=str(production), shadow=str(out))
    aged(tmp_path)
    first, again = (analysis.run(request, silent) for _ in range(2))
    assert first.verdict.to_json() == again.verdict.to_json()
    assert first.tables["replay_latency"].equals(again.tables["replay_latency"])
    assert list((tmp_path / "cache").rglob("*.reduced"))
    fail(out / "churn" / "candidate", pl.col("order") % 20 == 0)
    aged(tmp_path)
    changed = analysis.run(request, silent).verdict
    assert changed.metrics["failure_rate"].outcome is Outcome.FAIL
    assert changed.inputs.digest != first.verdict.inputs.digest


def aged(folder: Path) -> None:
    """Make files old enough to be known by size and time, each at a time of its own."""
    for number, path in enumerate(sorted(folder.rglob("*"))):
        if path.is_file() and "cache" not in path.parts:
            at = 1_700_000_000 + number + path.stat().st_size
            os.utime(path, (at, at))


def test_requests_outside_the_window_are_not_timed(tmp_path: Path) -> None:
    production, out = build(tmp_path, World(requests=2_400))
    request = analysis.Request(
        production=str(production), shadow=str(out), until="2026-11-16T10:10", use_cache=False
    )
    verdict = analysis.run(request, silent).verdict
    assert verdict.metrics["latency_mean"].n.pairs == 1_200 - 50
    assert verdict.gates["missing_pairs"].value == 0


def test_metrics_of_cloudwatch_are_refused_beside_a_replay(tmp_path: Path) -> None:
    production, out = build(tmp_path, World(requests=1_200))
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "rows.jsonl").write_text("")
    request = analysis.Request(
        production=str(production), shadow=str(out), cloudwatch=(str(tmp_path / "metrics"),)
    )
    with pytest.raises(UsageError, match="leave --cloudwatch out"):
        analysis.run(request, silent)


def test_a_guardrail_of_the_live_endpoint_is_named_and_not_asked(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(), "metrics.error_5xx_rate.margin=0.002").verdict
    assert verdict.decision is Decision.PROMOTE
    (note,) = (note for note in verdict.notes if note.code == "not-asked")
    assert "error_5xx_rate" in note.text


def test_the_verdict_is_the_same_however_many_threads_read_it(
    tmp_path: Path, known: Callable[[World], Analysis]
) -> None:
    world = World(failing=0.01)
    production, out = build(tmp_path, world)
    candidate = str(out / "churn" / "candidate")
    request = analysis.Request(production=str(production), shadow=candidate, use_cache=False)
    texts = {
        analysis.run(replace(request, threads=threads), silent).verdict.to_json()
        for threads in range(1, examples(1, whole=2) + 1)
    }
    assert texts == {known(world).verdict.to_json()}  # by as many as there are


def test_the_only_look_is_judged_by_the_intervals_of_one_look(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(), "inference=fixed", "final=true").verdict
    for metric in ("latency_mean", "failure_rate"):
        item = verdict.metrics[metric]
        assert item.effect is not None
        assert item.effect.mode == "fixed"
        assert item.intervals.fixed is not None
        assert item.effect.upper == item.intervals.fixed[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"order": pl.lit(3, pl.Int64)}, "a place that another has"),
        ({"done_at": pl.col("sent_at") - pl.duration(seconds=1)}, "an end before its start"),
    ],
)
def test_a_sidecar_that_contradicts_itself_is_not_believed(
    tmp_path: Path, change: dict[str, pl.Expr], said: str
) -> None:
    production, out = build(tmp_path, World(requests=1_200))
    candidate = out / "churn" / "candidate"
    frame = pl.DataFrame(sidecar.read(candidate / sidecar.NAME)).with_columns(**change)
    sidecar.write(candidate, frame.to_arrow().cast(sidecar.SCHEMA))
    verdict = run(str(production), str(out / "churn" / "candidate")).verdict
    assert verdict.decision is Decision.HOLD
    assert verdict.gates["objects"].closed
    assert any(said in note.text for note in verdict.notes)


def test_a_damaged_baseline_leaves_latency_open_and_the_candidate_s_failures_judged(
    tmp_path: Path,
) -> None:
    production, out = build(tmp_path, World(failing=0.01))
    (out / "churn" / "baseline" / sidecar.NAME).write_bytes(b"")
    verdict = run(str(production), str(out / "churn" / "candidate")).verdict
    assert verdict.inputs.objects_failed == {"bad-sidecar": 1}
    assert "no-baseline" in note_codes(verdict, "latency_mean")
    assert verdict.metrics["failure_rate"].outcome is Outcome.FAIL


def test_requests_nobody_knows_the_outcome_of_are_neither_success_nor_failure(
    tmp_path: Path,
) -> None:
    production, out = build(tmp_path, World(requests=1_200, warm_up=0))
    candidate = out / "churn" / "candidate"
    lost = pl.col("order") >= 1_195
    frame = pl.DataFrame(sidecar.read(candidate / sidecar.NAME)).with_columns(
        error_code=pl.when(lost).then(pl.lit("unfinished")),
        status=pl.when(~lost).then(pl.col("status")),
        done_at=pl.when(~lost).then(pl.col("done_at")),
    )
    sidecar.write(candidate, frame.to_arrow().cast(sidecar.SCHEMA))
    failures = run(str(production), str(out / "churn" / "candidate")).verdict.metrics[
        "failure_rate"
    ]
    assert failures.n.pairs == 1_195
    assert failures.shadow == 0
    assert "unfinished-requests" in {note.code for note in failures.notes}


def edit(variant: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change the rows of a sidecar."""
    frame = change(pl.DataFrame(sidecar.read(variant / sidecar.NAME)))
    sidecar.write(variant, frame.to_arrow().cast(sidecar.SCHEMA))


def judged_after(
    folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame], world: World | None = None
) -> Verdict:
    """The verdict on a replay whose candidate's sidecar was changed."""
    production, out = build(folder, world or World())
    candidate = out / "churn" / "candidate"
    edit(candidate, change)
    return run(str(production), str(candidate)).verdict


def test_failures_left_out_of_the_candidates_sidecar_are_missed(tmp_path: Path) -> None:
    verdict = judged_after(tmp_path, lambda frame: frame.filter(pl.col("order") % 20 != 0))
    assert verdict.decision is Decision.HOLD
    assert "gate-missing-pairs" in reason_codes(verdict)


def test_a_lost_pair_is_not_hidden_by_one_too_many(tmp_path: Path) -> None:
    """As many answers are gone as there are answers that the sidecar says nothing of."""
    production, out = build(tmp_path, World(requests=1_200))
    candidate = out / "churn" / "candidate"
    (captured,) = candidate.rglob("*.jsonl")
    lines = captured.read_bytes().splitlines(keepends=True)
    captured.write_bytes(b"".join(lines[:1_180]))
    for name in ("candidate", "baseline"):
        edit(out / "churn" / name, lambda frame: frame.filter(pl.col("order") >= 20))
    gate = run(str(production), str(out)).verdict.gates["missing_pairs"]
    assert gate.closed
    assert gate.value == 20
    assert "20 requests" in gate.text


def test_requests_of_no_production_record_are_not_passed_over(tmp_path: Path) -> None:
    stranger = pl.concat_str(pl.lit("stranger-"), pl.col("order").cast(pl.String))
    verdict = judged_after(
        tmp_path,
        lambda frame: frame.with_columns(
            event_id=pl.when(pl.col("order") % 3 == 0).then(stranger).otherwise("event_id")
        ),
    )
    assert verdict.decision is Decision.HOLD
    assert "gate-missing-pairs" in reason_codes(verdict)
    assert "how they ended is not known" in verdict.gates["missing_pairs"].text


def test_a_sidecar_that_ends_early_does_not_stand_for_the_captures(tmp_path: Path) -> None:
    verdict = judged_after(tmp_path, lambda frame: frame.filter(pl.col("order") < 4_000))
    assert verdict.decision is Decision.HOLD
    assert "gate-missing-pairs" in reason_codes(verdict)


def test_requests_that_were_not_finished_leave_latency_open(tmp_path: Path) -> None:
    unfinished = pl.col("order") % 20 == 0
    verdict = judged_after(
        tmp_path,
        lambda frame: frame.with_columns(
            error_code=pl.when(unfinished).then(pl.lit("unfinished")),
            status=pl.when(unfinished).then(None).otherwise("status"),
            done_at=pl.when(unfinished).then(None).otherwise("done_at"),
        ),
    )
    assert verdict.decision is Decision.HOLD
    assert "gate-interleaved" in reason_codes(verdict)


@pytest.mark.parametrize("column", ["intended_at", "done_at"])
def test_times_that_cannot_be_make_a_sidecar_bad(tmp_path: Path, column: str) -> None:
    change = {
        "intended_at": pl.col("sent_at") + pl.duration(seconds=1),
        "done_at": pl.lit(None).cast(pl.Datetime("us", "UTC")),
    }[column]
    verdict = judged_after(tmp_path, lambda frame: frame.with_columns(change.alias(column)))
    assert verdict.decision is Decision.HOLD
    assert verdict.inputs.objects_failed == {"bad-sidecar": 1}


def test_a_hundred_inputs_asked_fifty_times_each_settle_no_failure_rate(tmp_path: Path) -> None:
    verdict = judged(tmp_path, World(repeats=50)).verdict
    assert verdict.metrics["failure_rate"].outcome is Outcome.UNRESOLVED
