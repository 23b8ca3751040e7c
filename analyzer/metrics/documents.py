"""How alike are texts and documents, and which fields of documents differ?

In: sums over sampled pairs (`payloads.closely`) -> evidence. Out: what is judged: whether an answer
kept its form is `contract_change`, of all pairs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from analyzer.figures import counted, grouped, percent
from analyzer.metrics.shares import METHOD as SHARE_METHOD
from analyzer.metrics.shares import SOURCE as SHARE_SOURCE
from analyzer.metrics.shares import Share
from analyzer.metrics.shown import Finding, asking, sampled
from analyzer.model import Intervals, Note
from analyzer.stats.effective import effective_share_n

if TYPE_CHECKING:
    from analyzer.metrics.metric import Facts, Metric
    from analyzer.metrics.predictions import Counted

_TEXT = frozenset({"text"})
_JSON = frozenset({"json"})
_DOCUMENTS = _TEXT | _JSON
_NAMED_FIELDS = 5

LIKENESS_METHOD = "edit-similarity/1"
JSON_METHOD = "tango/1"


def _likeness(facts: Facts, found: Counted) -> Finding | Note:
    """Mean similarity of the sampled texts with a normal interval."""
    from scipy.special import ndtri

    if "likeness" not in found.row:
        return _no_texts(found)
    row, n = found.row, _independent_texts(found)
    reach = -float(ndtri(facts.policy.alpha)) * row["likeness_sd"] / math.sqrt(n)
    texts = found.count("texts")
    same = found.count("equal_texts")
    likened = f"{percent(same / texts)} of the texts are equal, their lengths are in a ratio of "
    notes = [
        sampled(texts, found.count("pairs")),
        Note(
            code="text-lengths", text=f"{likened}{row['length_ratio']:.3f} on (geometric) average"
        ),
    ]
    if cut := found.count("cut_texts"):
        longest = found.count("longest_text")
        text = f"{counted(cut, 'text')} compared by the first {longest} characters alone"
        notes.append(Note(code="texts-cut", text=text))
    interval = (max(row["likeness"] - reach, 0.0), min(row["likeness"] + reach, 1.0))
    return Finding(row["likeness"], n, intervals=Intervals(fixed=interval), notes=tuple(notes))


def _validity(facts: Facts, found: Counted) -> Finding | Note:
    """Shares of sampled texts that are JSON, paired."""
    from analyzer.stats.proportions import mcnemar, tango

    texts = found.count("texts")
    if not texts:
        return _no_texts(found)
    both = found.count("both_json")
    alone = found.count("shadow_json"), found.count("production_json")
    n = _independent_texts(found)
    ours, theirs = (count * n / texts for count in alone)
    alike = n - ours - theirs
    level = 1 - 2 * facts.policy.alpha
    p = mcnemar(round(ours), round(theirs)).mid_p
    text = (
        f"JSON of one variant alone: production {grouped(alone[1])}, shadow {grouped(alone[0])} "
        f"of {counted(texts, 'text')} (McNemar mid-p {p:.2g}, one look)"
    )
    return Finding(
        (alone[0] - alone[1]) / texts,
        n,
        "difference",
        Intervals(fixed=tango(0.0, ours, theirs, max(alike, 0.0), level)),
        ((both + alone[1]) / texts, (both + alone[0]) / texts),
        (sampled(texts, found.count("pairs")), Note(code="json-alone", text=text)),
    )


def _fields(facts: Facts, found: Counted) -> Finding | Note:
    """Share of sampled documents in which any field differs."""
    documents = found.count("documents")
    if not documents:
        text = "no sampled pair has two JSON documents with a field"
        return Note(code="no-json-fields", text=text)
    share = Share(
        found.count("differing_documents"),
        documents,
        float(found.count("document_squares")),
        "documents",
    )
    reshaped = found.count("reshaped_documents")
    notes = [
        sampled(documents, found.count("pairs")),
        Note(
            code="json-reshaped",
            text=f"{percent(reshaped / documents)} of the documents have a field that is missing, "
            "added, or of another type",
        ),
    ]
    tables = {} if facts.captures is None else facts.captures.tables
    rows = tables["json_field_changes"].to_pylist() if "json_field_changes" in tables else []
    worst = [row for row in rows if row["differing"] and row["field"]][:_NAMED_FIELDS]
    if worst:
        named = ", ".join(
            f"{row['field'][:80]} in {percent(row['differing'] / documents)}" for row in worst
        )
        notes.append(Note(code="json-fields", text=f"most often: {named} of the documents"))
    return Finding(
        share.estimate,
        share.effective,
        intervals=share.intervals(facts.policy.alpha),
        notes=tuple(notes),
    )


def _independent_texts(found: Counted) -> float:
    n = found.count("texts")
    return min(effective_share_n(n, float(found.count("input_squares"))), float(n))


def _no_texts(found: Counted) -> Note:
    text = f"none of {counted(found.count('pairs'), 'pair')} has two texts to compare"
    return Note(code="no-texts", text=text)


DOCUMENTS: tuple[Metric, ...] = (
    asking(_likeness, _DOCUMENTS, "similarity", LIKENESS_METHOD)(
        id="text_similarity",
        title="text similarity",
        meaning="Mean of 1 - edits / length over sampled pairs of texts: 1 is equal, 0 has nothing "
        "in common.",
        source="Levenshtein, Soviet Physics Doklady 10:707 (1966), in bytes, by the longer text; "
        "normal interval at Kish's effective size (1965)",
        advice="Texts of a language model differ from run to run: compare with a replay of "
        "production against itself.",
    ),
    asking(_validity, _DOCUMENTS, "share", JSON_METHOD)(
        id="json_validity",
        title="valid JSON",
        meaning="Share of sampled texts that are a JSON object or list; the shadow's minus "
        "production's for the same requests.",
        source="Tango, Statistics in Medicine 17:891 (1998), at Kish's effective size (1965); "
        "McNemar, Psychometrika 12:153 (1947)",
        advice="A shadow that loses JSON breaks whoever parses it: look at its prompt or decoder.",
    ),
    asking(_fields, _JSON, "share", SHARE_METHOD)(
        id="json_field_changes",
        title="changed JSON fields",
        meaning="Share of sampled pairs of documents in which any field differs beyond the numeric "
        "tolerance, is missing, added, or of another type.",
        source=SHARE_SOURCE,
        advice="See the table of fields; name the one that decides in predictions.path to have it "
        "judged.",
    ),
)
