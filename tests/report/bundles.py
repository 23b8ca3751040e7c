"""Bundles of every kind of output and of both ways to measure, written by the run itself."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from analyzer.analysis import Request
from analyzer.cli.run import analyse
from tests.captures.capture_builders import line
from tests.replay import replay_builders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SAMPLE_DATA = Path(__file__).parents[2] / "sample_data"
REQUESTS = 1_500
WORDS = ("the", "order", "was", "sent", "today", "and", "will", "arrive", "within", "three", "days")
SCENARIOS = ("promote", "slow_tail", "thin_sample")


def _listed(numbers: Iterable[float]) -> str:
    return ",".join(f"{number:.6f}" for number in numbers)


def _probability(random: np.random.Generator) -> tuple[str, str]:
    score = random.beta(2, 3)
    return f"{score:.6f}", f"{min(1.0, score + abs(random.normal(0, 0.02))):.6f}"


def _regression(random: np.random.Generator) -> tuple[str, str]:
    price = 100 * np.exp(random.normal(0, 0.6))
    return f"{price:.2f}", f"{price * np.exp(random.normal(0.01, 0.04)):.2f}"


def _label(random: np.random.Generator) -> tuple[str, str]:
    labels = ("approve", "review", "deny")
    chosen = int(random.choice(3, p=(0.6, 0.3, 0.1)))
    other = int(random.choice(3)) if random.random() < 0.03 else chosen
    return labels[chosen], labels[other]


def _multiclass(random: np.random.Generator) -> tuple[str, str]:
    shares = random.dirichlet((2, 1, 1, 0.5))
    moved = shares * np.exp(random.normal(0, 0.05, 4))
    return _listed(shares), _listed(moved / moved.sum())


def _vector(random: np.random.Generator) -> tuple[str, str]:
    place = random.normal(0, 1, 24)
    return _listed(place), _listed(place + random.normal(0, 0.02, 24))


def _json(random: np.random.Generator) -> tuple[str, str]:
    document = {
        "customer": {
            "tier": str(random.choice(["gold", "basic"])),
            "score": int(random.integers(9)),
        },
        "items": [{"sku": int(random.integers(10_000)), "price": float(random.integers(90))}] * 2,
    }
    other = json.loads(json.dumps(document))
    if random.random() < 0.2:
        other["items"][0]["price"] += 1
    if random.random() < 0.05:
        del other["customer"]["score"]
    return json.dumps(document), json.dumps(other)


def _text(random: np.random.Generator) -> tuple[str, str]:
    chosen = [WORDS[at] for at in random.integers(0, len(WORDS), 18)]
    said = list(chosen)
    for at in np.flatnonzero(random.random(18) < 0.1):
        said[at] = WORDS[int(random.integers(len(WORDS)))]
    return " ".join(chosen).capitalize() + ".", " ".join(said).capitalize() + "."


ANSWERS: Mapping[str, Callable[[np.random.Generator], tuple[str, str]]] = {
    "probability": _probability,
    "regression": _regression,
    "label": _label,
    "multiclass": _multiclass,
    "vector": _vector,
    "json": _json,
    "text": _text,
}
_ENCODED = {"json": "JSON", "text": "TEXT"}


def captured(
    folder: Path,
    pairs: Iterable[tuple[str, str]],
    encoding: str = "CSV",
    *,
    names: Callable[[int], str] = "request {}".format,
) -> Path:
    """Captures of both variants, a request each ten seconds, answered as `pairs` says."""
    given = list(pairs)
    for side, variant in enumerate(("v1", "v2-shadow")):
        hour = folder / "churn" / variant / "2026/03/01/00"
        hour.mkdir(parents=True)
        lines = [
            line(
                10 * k,
                output=answers[side],
                payload=f"{k},{k % 7}",
                inference_id=names(k),
                event_id=f"{variant} {k}",
                encoding=encoding,
            )
            for k, answers in enumerate(given)
        ]
        (hour / "00-00-000-a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return folder


def of_kind(
    kind: str,
    folder: Path,
    *,
    payloads: str = "none",
    requests: int = REQUESTS,
    more: tuple[str, ...] = (),
    drawn: bool = True,
) -> Path:
    """The bundle of a run over captures whose answers are of this kind; judged without metrics."""
    random = np.random.default_rng(5)
    pairs = [ANSWERS[kind](random) for _ in range(requests)]
    source = captured(folder / "captures", pairs, _ENCODED.get(kind, "CSV"))
    # Lists that are no shares are found, never asked for.
    asked = "auto" if kind == "vector" else kind
    overrides = (f"predictions.kind={asked}", f"redaction.payloads={payloads}", *more)
    request = Request(source=str(source), overrides=overrides)
    return run_into(folder / "out", request, drawn=drawn)


def of_replay(
    folder: Path, world: replay_builders.World | None = None, *, drawn: bool = True
) -> Path:
    """The bundle of a replay whose candidate is slower than its baseline."""
    given = world or replay_builders.World(requests=REQUESTS, slower=1.1, failing=0.002)
    production, out = replay_builders.build(folder, given)
    candidate = str(out / "churn" / "candidate")
    request = Request(production=str(production), shadow=candidate)
    return run_into(folder / "out", request, drawn=drawn)


def of_scenario(name: str, folder: Path) -> Path:
    """The bundle of a sample scenario, with CloudWatch metrics."""
    home = SAMPLE_DATA / name
    request = Request(
        source=str(home / "captures"),
        cloudwatch=(str(home / "cloudwatch"),),
        policy_file=home / "policy.toml",
    )
    return run_into(folder / "out", request)


def run_into(out: Path, request: Request, *, drawn: bool = True) -> Path:
    """`analyzer run` in this process; its report.html as a failed converter leaves it, if asked."""
    from dataclasses import replace

    with nullcontext() if drawn else undrawn():
        analyse(replace(request, use_cache=False), out, quiet=True)
    return out


@contextmanager
def undrawn() -> Iterator[None]:
    """While it lasts, no report has drawings."""
    from analyzer.report.html import page
    from analyzer.report.html.converter import Converter

    with (
        mock.patch.object(Converter, "start"),
        mock.patch.object(page, "_drawings", return_value={}),
    ):
        yield
