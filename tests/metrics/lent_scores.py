"""What is said of large shifts between scores of pairs, without outputs to read them from.

Scores are lent to the queries of `payloads.scores`; with --long, or where a test asks for it, they
are written as outputs and compared as captures are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from analyzer.engine import Engine
from analyzer.metrics import BY_ID, DEFAULTS
from analyzer.payloads.comparison import tolerance_of
from analyzer.payloads.scores import Tolerance, score_counts
from analyzer.policy.files import load_policy
from tests.examples import examples
from tests.metrics.prediction_facts import START, counts_of, facts_from, facts_of
from tests.payloads.captured_pairs import compare

if TYPE_CHECKING:
    import numpy.typing as npt

    from analyzer.metrics.metric import Facts
    from analyzer.model import Evidence
    from analyzer.policy import Policy

    Floats = npt.NDArray[np.float64]

LARGE = BY_ID["score_large_shift_share"]


def large_shifts(
    production: Floats, shadow: Floats, kind: str, *settings: str, written: bool = False
) -> Evidence:
    """The evidence of large shifts between these scores; see `facts_between`."""
    facts = facts_between(production, shadow, kind, *settings, written=written)
    return LARGE.assess(facts, facts.policy.metrics[LARGE.id])


def facts_between(
    production: Floats, shadow: Floats, kind: str, *settings: str, written: bool = False
) -> Facts:
    """What is counted of these scores.

    Args:
        production: its scores.
        shadow: the shadow's, of the same requests.
        kind: of the outputs.
        settings: more of the policy.
        written: whether they are written as outputs and compared.
    """
    policy = load_policy(None, DEFAULTS, [f"predictions.kind={kind}", *settings])
    if written or examples(0, whole=1):
        answers = [[repr(float(score)) for score in side] for side in (production, shadow)]
        return facts_from(compare(answers[0], answers[1], policy=policy).tables, policy=policy)
    return _lent(production, shadow, kind, policy)


def _lent(production: Floats, shadow: Floats, kind: str, policy: Policy) -> Facts:
    predictions = pa.table(
        {
            "code": pa.repeat("same", production.size),
            "captured_at": pa.repeat(pa.scalar(START.replace(tzinfo=None)), production.size),
            "production_score": production,
            "shadow_score": shadow,
            "difference": np.abs(shadow - production),
        }
    )
    sides = np.concatenate([production, shadow])
    extent = {"lowest": float(sides.min()), "highest": float(sides.max())}
    noise = Tolerance(policy.predictions.atol, policy.predictions.rtol)
    label_at = policy.predictions.label_at if kind == "probability" else None
    with Engine(threads=1) as engine, engine.lend(predictions=predictions):
        engine.execute("prediction_macros")
        found = score_counts(engine, extent, noise, tolerance_of(policy), label_at)
    counts = counts_of(**{"pairs": production.size, **found})
    return facts_of(counts, kind=kind, policy=policy)
