"""`--noise-floor`, end to end: a model that answers at random, and floors that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from analyzer import analysis, bundle
from analyzer.console.progress import silent
from analyzer.errors import InputError, UsageError
from analyzer.model import GateOutcome, Verdict
from analyzer.report.content import predictions_page, verdict_page
from analyzer.report.content.page import Table
from analyzer.report.text import render
from analyzer.stats.proportion_sequence import upper_bound
from tests.faults.shadow_tests import put_object
from tests.test_analysis import line

if TYPE_CHECKING:
    from collections.abc import Iterable

PAIRS = 3_000
SCORES = np.random.default_rng(8).random(PAIRS)


def answers(seed: int, *, noise: float = 0.1, shift: float = 0.0) -> list[float]:
    """Scores of one serving: a model that answers at random, with or without a shift."""
    rng = np.random.default_rng(seed)
    noisy = np.clip(SCORES + shift + rng.normal(0, noise, PAIRS), 0, 1)
    found: list[float] = noisy.round(6).tolist()
    return found


def serve(folder: Path, variant: str, scores: Iterable[float], endpoint: str = "churn") -> None:
    hour = folder / endpoint / variant / "2026" / "11" / "16" / "00"
    lines = [line(13 * k, f"{k}", str(score), f"request {k}") for k, score in enumerate(scores)]
    put_object(hour / "00-00-000-a.jsonl", b"\n".join(lines) + b"\n")


def captures(folder: Path, **variants: list[float]) -> Path:
    for variant, scores in variants.items():
        serve(folder, variant.replace("_", "-"), scores)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all these tests."""
    return tmp_path_factory.mktemp("noise-floor")


@pytest.fixture(autouse=True)
def kept(place: Path, cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One cache for all these tests, whose captures nobody changes."""
    del cache_home  # replaced
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    return place / "cache"


@pytest.fixture(scope="module")
def source(place: Path) -> Path:
    """Production and a shadow that answers as noisily, and otherwise alike."""
    return captures(place / "captures", v1=answers(1), v2_shadow=answers(2, shift=0.002))


@pytest.fixture(scope="module")
def again(place: Path) -> Path:
    """Production's model, asked twice."""
    return captures(place / "again", v1=answers(3), v1_again=answers(4))


def judged(source: Path, floor: Path | None, *policy: str, **request: str | Path) -> Verdict:
    asked = analysis.Request(
        source=str(source),
        noise_floor=None if floor is None else str(floor),
        overrides=policy,
        **request,  # type: ignore[arg-type]
    )
    return analysis.run(asked, silent).verdict


def bundled(folder: Path, source: Path, *policy: str, **request: str | Path) -> Path:
    done = analysis.run(
        analysis.Request(source=str(source), overrides=policy, **request),  # type: ignore[arg-type]
        silent,
    )
    bundle.write(folder, done.verdict, {}, done.tables)
    return folder


def test_noise_that_is_productions_own_holds_without_a_floor_and_passes_with_one(
    source: Path, again: Path
) -> None:
    alone = judged(source, None)
    assert alone.metrics["flip_rate"].outcome.value == "fail"
    assert alone.noise_floor is None
    above = judged(source, again)
    flips = above.metrics["flip_rate"]
    assert flips.outcome.value == "pass"
    assert above.noise_floor is not None
    own = above.noise_floor.shares["flip_rate"]
    expected = sum((a >= 0.5) != (b >= 0.5) for a, b in zip(answers(3), answers(4), strict=True))
    assert (own.events, own.outcomes, own.effective) == (expected, PAIRS, PAIRS)
    assert flips.production == pytest.approx(expected / PAIRS)
    assert above.inputs.digest != alone.inputs.digest
    assert any(note.code == "noise-floor" for note in above.notes)


def test_a_bundle_and_the_captures_it_was_made_of_give_one_floor(
    tmp_path: Path, source: Path, again: Path
) -> None:
    floor = bundled(tmp_path / "aa", again, production="v1", shadow="v1-again")
    of_bundle, of_captures = judged(source, floor), judged(source, again)
    assert of_bundle.noise_floor is not None
    assert of_captures.noise_floor is not None
    assert of_bundle.noise_floor.shares == of_captures.noise_floor.shares
    assert of_bundle.metrics == of_captures.metrics
    assert of_bundle.noise_floor.source == "bundle"


def test_one_variants_captures_are_held_against_productions_own_of_this_run(
    tmp_path: Path, source: Path
) -> None:
    """As a replay of production's requests against production leaves them, whenever it ran."""
    serve(tmp_path / "replayed", "baseline", answers(5))
    verdict = judged(source, tmp_path / "replayed" / "churn" / "baseline")
    assert verdict.noise_floor is not None
    expected = sum((a >= 0.5) != (b >= 0.5) for a, b in zip(answers(1), answers(5), strict=True))
    assert verdict.noise_floor.shares["flip_rate"].events == expected


def test_large_shifts_of_the_floor_are_counted_at_this_runs_size(
    tmp_path: Path, source: Path, again: Path
) -> None:
    """What is large is half a standard deviation of this run's scores, not of the floor's."""
    half = captures(
        tmp_path / "half",
        v1=[score / 2 for score in answers(3)],
        v1_again=[score / 2 for score in answers(4)],
    )
    for floor, scale in ((again, 1.0), (half, 0.5)):
        verdict = judged(source, floor)
        assert verdict.noise_floor is not None
        own = verdict.noise_floor.shares["score_large_shift_share"]
        size = float(np.std(answers(1))) / 2
        apart = scale * np.abs(np.array(answers(3)) - np.array(answers(4)))
        assert int((apart > 1.012 * size).sum()) <= own.events <= int((apart > size).sum())
        assert own.outcomes == PAIRS
    above = judged(source, again).metrics["score_large_shift_share"]
    assert above.effect is not None
    assert above.effect.kind == "difference"
    assert judged(source, None).metrics["score_large_shift_share"].outcome.value == "fail"
    assert above.outcome.value != "fail"


def test_the_floor_is_in_the_report_and_in_every_format(source: Path, again: Path) -> None:
    asked = analysis.Request(source=str(source), noise_floor=str(again))
    done = analysis.run(asked, silent)
    page = predictions_page(done.verdict, done.tables)
    (table,) = [
        block
        for block in page.blocks
        if isinstance(block, Table) and block.title.startswith("Noise floor")
    ]
    assert table.rows[0][0] == "flip_rate"
    assert "taken on trust" in render(verdict_page(done.verdict))
    assert Verdict.model_validate_json(done.verdict.to_json()) == done.verdict


def test_parts_of_the_traffic_are_held_against_the_margin_above_the_floors_upper_bound(
    source: Path, again: Path
) -> None:
    verdict = judged(source, again, "slices.hour=true")
    assert verdict.noise_floor is not None
    own = verdict.noise_floor.shares["flip_rate"]
    expected = 0.05 + upper_bound(own.events, own.effective, 0.01)
    assert len(verdict.slices["hour"].bins) == 11
    for part in verdict.slices["hour"].bins:
        assert part.shares["flip_rate"].allowed == pytest.approx(expected)
        assert part.shares["contract_change"].allowed == 0.001


def test_a_cached_run_gives_the_same_verdict_to_the_byte(
    source: Path, again: Path, kept: Path
) -> None:
    first, second = judged(source, again), judged(source, again)
    assert len([*kept.rglob("*.reduced")]) >= 2
    assert first.to_json() == second.to_json()
    fresh = judged(source, again, use_cache=False)  # type: ignore[arg-type]
    assert first.to_json() == fresh.to_json()


def refused(source: Path, floor: Path, *policy: str, **request: str | Path) -> str:
    with pytest.raises(InputError) as error:
        judged(source, floor, *policy, **request)
    assert str(error.value).startswith(f"--noise-floor {floor}: ")
    assert error.value.exit_code == 3
    return str(error.value)


def test_a_floor_of_another_endpoint_is_refused(tmp_path: Path, source: Path) -> None:
    other = tmp_path / "other"
    for variant, seed in (("v1", 3), ("v1-again", 4)):
        serve(other, variant, answers(seed), endpoint="fraud")
    floor = bundled(tmp_path / "aa", other, production="v1", shadow="v1-again")
    assert "it is of endpoint fraud, this run of churn" in refused(source, floor)
    with pytest.raises(UsageError, match="no captures of endpoint 'churn'"):
        judged(source, other)


def test_a_floor_with_too_few_pairs_is_refused_with_their_number(
    tmp_path: Path, source: Path
) -> None:
    few = captures(tmp_path / "few", v1=answers(3)[:400], v1_again=answers(4)[:400])
    said = refused(source, few)
    assert "400 pairs; a noise floor needs at least 1 000" in said


def test_a_floor_of_another_kind_of_output_is_refused(tmp_path: Path, source: Path) -> None:
    scaled = [[100 * score for score in answers(seed)] for seed in (3, 4)]
    other = captures(tmp_path / "other", v1=scaled[0], v1_again=scaled[1])
    assert "read as regression, those of this run as probability" in refused(source, other)


def test_the_shadow_itself_is_no_floor(tmp_path: Path, source: Path) -> None:
    said = refused(source, source)
    assert "compares with v2-shadow, the variant that is judged" in said
    assert "compares with v2-shadow" in refused(source, bundled(tmp_path / "own", source))
    shadow = source / "churn" / "v2-shadow"
    assert "the shadow that is judged" in refused(source, shadow)
    assert "not a second answer" in refused(source, source / "churn" / "v1")


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("predictions.label_at=0.3", "predictions.label_at is 0.3, that of this run 0.5"),
        pytest.param("predictions.tolerance=0.2", "tolerance", marks=pytest.mark.long),
    ],
)
def test_a_floor_under_another_tolerance_is_refused(
    tmp_path: Path, source: Path, again: Path, policy: str, said: str
) -> None:
    floor = bundled(tmp_path / "aa", again, policy, production="v1", shadow="v1-again")
    assert said in refused(source, floor)


def described(path: Path, production: str, shadow: str, names: tuple[str, str]) -> Path:
    """An endpoint.json that names the models of two variants."""
    variants = [
        {"VariantName": name, "ModelName": model}
        for name, model in zip(names, (production, shadow), strict=True)
    ]
    body = {
        "DescribeEndpointConfig": {
            "EndpointConfigName": "c",
            "ProductionVariants": variants[:1],
            "ShadowProductionVariants": variants[1:],
        }
    }
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def test_a_floor_of_two_models_or_of_another_production_model_is_refused(
    tmp_path: Path, source: Path, again: Path
) -> None:
    names = ("v1", "v1-again")
    two = described(tmp_path / "two.json", "model-a", "model-b", names)
    floor = bundled(tmp_path / "two", again, endpoint_file=two)
    assert "it compares two models, model-a and model-b" in refused(source, floor)
    one = described(tmp_path / "one.json", "model-a", "model-a", names)
    floor = bundled(tmp_path / "one", again, endpoint_file=one)
    own = described(tmp_path / "own.json", "model-c", "model-d", ("v1", "v2-shadow"))
    said = refused(source, floor, endpoint_file=own)
    assert "it is of production model model-a, this run of model-c" in said
    own = described(tmp_path / "own.json", "model-a", "model-d", ("v1", "v2-shadow"))
    verdict = judged(source, floor, endpoint_file=own)
    assert verdict.noise_floor is not None
    assert verdict.noise_floor.production_model == "model-a"


def test_a_floor_is_refused_where_no_answers_are_compared(again: Path) -> None:
    promote = Path(__file__).parents[2] / "sample_data" / "promote"
    request = analysis.Request(
        endpoint="churn-endpoint",
        cloudwatch=(str(promote / "cloudwatch"),),
        noise_floor=str(again),
    )
    with pytest.raises(UsageError, match="--noise-floor: no captured answers"):
        analysis.run(request, silent)


def test_a_floor_that_was_altered_is_refused(tmp_path: Path, source: Path, again: Path) -> None:
    floor = bundled(tmp_path / "aa", again, production="v1", shadow="v1-again")
    counts = floor / "tables" / "prediction_counts.parquet"
    frame = pl.read_parquet(counts).with_columns(flipped=pl.lit(3_000, pl.Int64))
    frame.write_parquet(counts)
    assert "altered" in refused(source, floor)


def test_a_bundle_of_a_run_that_cannot_be_believed_is_refused(
    tmp_path: Path, source: Path, again: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = bundled(tmp_path / "aa", again, production="v1", shadow="v1-again")
    held = bundle.read(floor)
    tables = {name: table for name in held.table_names if (table := held.table(name)) is not None}

    def said(name: str, part: object) -> str:
        bundle.write(floor, held.verdict.model_copy(update={name: part}), {}, tables)
        return refused(source, floor)

    closed = {
        name: {**gates, name: gates[name].model_copy(update={"outcome": GateOutcome.FAIL})}
        for gates in [held.verdict.gates]
        for name in ("objects", "roles")
    }
    assert "it was altered, or is not this tool's" in said("gates", closed["roles"])
    # what follows is a whole verdict's part; that the rest does not follow from it is seen above
    monkeypatch.setattr(bundle, "derive_again", lambda *_: None)
    for name, gates in closed.items():
        assert f"its gate {name} is closed" in said("gates", gates)
    unread = held.verdict.inputs.model_copy(update={"objects_failed": {"gone": 2}})
    assert "objects of it could not be read: 2 gone" in said("inputs", unread)


def test_a_copy_of_the_shadow_under_another_name_is_no_floor(tmp_path: Path, source: Path) -> None:
    """Its files lie elsewhere, its lines come in another order, and an older pair is among them."""
    scores = answers(2, shift=0.002)
    hour = tmp_path / "copied" / "churn" / "v1-again" / "2026" / "11" / "16" / "00"
    hour.mkdir(parents=True)
    lines = [line(13 * k, f"{k}", str(score), f"request {k}") for k, score in enumerate(scores)]
    (hour / "00-00-000-b.jsonl").write_bytes(b"\n".join([*reversed(lines), b"not JSON"]) + b"\n")
    with pytest.raises(InputError, match="holds the captures that are judged"):
        judged(source, hour.parents[3])
