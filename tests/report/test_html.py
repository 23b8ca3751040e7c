from __future__ import annotations

import re
from html.parser import HTMLParser

import polars as pl
import pytest

from analyzer.model import Decision
from analyzer.report import html
from analyzer.report.content import PAGES, predictions_page, series
from analyzer.report.content.page import (
    Chart,
    Choice,
    Column,
    Data,
    Fact,
    Facts,
    Headline,
    Identity,
    Missing,
    Notes,
    Page,
    Request,
    Strip,
    Table,
    Tone,
)
from analyzer.report.html import converter, drawing
from analyzer.report.html.converter import Converter
from analyzer.report.plain_text import clean
from tests.examples import examples
from tests.report.bundles import undrawn
from tests.report.documents import document
from tests.report.frames import tables
from tests.report.verdicts import hostile, verdict

LINKED = {"verdict.json"}
LARGEST = 2_000_000
# Blocks and drawings of the others are made as those of HOLD.
DECISIONS = [
    pytest.param(one, marks=pytest.mark.long) if one in {Decision.PROMOTE, Decision.REJECT} else one
    for one in Decision
]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> & ]]> </svg>\x1b[31m\x00\ufffe"


class Reader(HTMLParser):
    """What a browser makes of a document: its elements, their attributes and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def to_choose(block: Choice | Data) -> list[str]:
    if isinstance(block, Data):
        return [name for name, _ in block.frames]
    facts = [fact for option in block.options for fact in option.facts]
    names = [option.name for option in block.options]
    return names + [part for fact in facts for part in (fact.label, fact.value)]


def strings(page: Page) -> list[str]:
    """Every string a page has finished for its windows, but the terminal's next command."""
    found = [page.title] if page.lead else []
    for block in page.blocks:
        if isinstance(block, Headline):
            found += [block.symbol, block.word, block.sentence, block.detail]
        elif isinstance(block, Identity | Facts):
            facts = block.facts if isinstance(block, Identity) else block.items
            found += [part for fact in facts for part in (fact.label, fact.value)]
        elif isinstance(block, Table):
            found += [cell for row in block.rows for cell in row]
            found += [note.text for note in block.notes]
        elif isinstance(block, Strip):
            found += [block.summary, *(check.label for check in block.items)]
        elif isinstance(block, Chart):
            found += [block.title, block.caption]
        elif isinstance(block, Notes):
            found += [part for item in block.items for part in (item.label, item.text, item.advice)]
        elif isinstance(block, Choice | Data):
            found += to_choose(block)
        elif isinstance(block, Missing):
            found += [block.title, block.text, block.advice]
    return [" ".join(clean(text).split()) for text in found if text]


@pytest.mark.parametrize("decision", DECISIONS)
def test_every_string_of_every_page_is_in_the_document(decision: Decision) -> None:
    read = " ".join(Reader(document(decision)).text.split())
    for build in PAGES:
        for text in strings(build(verdict(decision), tables(decision))):
            assert text in read


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.REJECT])
def test_every_string_is_in_a_document_without_drawings(decision: Decision) -> None:
    with undrawn():
        drawn = html.render([build(verdict(decision), tables(decision)) for build in PAGES], "x")
    read = " ".join(Reader(drawn).text.split())
    for build in PAGES:
        for text in strings(build(verdict(decision), tables(decision))):
            assert text in read


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_document_is_whole_in_itself_and_small(decision: Decision) -> None:
    text = document(decision)
    assert len(text.encode()) < LARGEST
    read = Reader(text)
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "img", "link", "iframe", "object", "image", "use", "base"}
    for _, attributes in read.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("href", "src", "xlink:href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "tables/")) or target in LINKED, target
    assert not re.search(r"url\((?!#)|@import", text)


def test_numbers_break_in_no_sentence_and_are_as_they_were_where_they_are_copied() -> None:
    number = "3 500 of 86 480 requests, 95 %"
    page = Page(
        "one",
        "One",
        (
            Missing(number, number, number),
            Table("t", (Column("id"), Column("said", sentence=True)), ((number, number),)),
            Request("r", number, "caption"),
        ),
    )
    text = html.render([page], "report")
    unbroken = "3\xa0500 of 86\xa0480 requests, 95\xa0%"
    assert text.count(unbroken) == 4
    assert f'<td class="left">{number}</td>' in text
    assert f"<pre>{number}</pre>" in text


def test_thousands_are_written_one_way_in_drawings_too() -> None:
    frame = pl.DataFrame(
        [("lines read", 14_000, True, "14 000")],
        schema=["label", "value", "kept", "text"],
        orient="row",
    )
    course = tables(Decision.HOLD)["minutes"]
    course = series.overlay(course, "latency_ms").with_columns(pl.col("value") * 100)
    charts = (
        Chart("funnel", "lines", "lines", frame, x_title="lines"),
        Chart("overlay", "records", "records", course, y_title="records"),
    )
    drawn = html.render([Page("one", "One", charts)], "report")
    assert re.search(">[0-9]+\xa0[0-9]{3}<", drawn)
    assert not re.search(r">\d+,\d{3}<", drawn)


def test_no_two_drawings_share_an_id() -> None:
    ids = [found for _, attributes in Reader(document(Decision.HOLD)).tags
           if (found := attributes.get("id"))]  # fmt: skip
    assert len(ids) == len(set(ids))
    assert any("clip" in name for name in ids)


def test_every_drawing_says_in_words_what_it_shows() -> None:
    drawings = [
        attributes
        for tag, attributes in Reader(document(Decision.HOLD)).tags
        if tag == "div" and attributes.get("role") == "img"
    ]
    assert len(drawings) > 5
    assert all(one["aria-label"] for one in drawings)


def test_hostile_text_stays_text_in_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes of it in drawings is looked at in test_hostile_strings."""
    monkeypatch.setattr(converter, "SCRIPT", "/no/such/script.py")
    pages = [build(hostile(HOSTILE), tables(Decision.REJECT)) for build in PAGES]
    facts = Facts(HOSTILE, (Fact(HOSTILE, HOSTILE, HOSTILE),))
    request = Request(HOSTILE, HOSTILE, HOSTILE)
    head = Headline(HOSTILE, HOSTILE, Tone.PLAIN, HOSTILE, HOSTILE)
    pages.append(Page("extra", HOSTILE, (head, facts, request, Missing(HOSTILE, HOSTILE)), HOSTILE))
    read = Reader(html.render(pages, HOSTILE))
    assert not {tag for tag, _ in read.tags} & {"script", "img"}
    assert "<script>alert(1)</script>" in read.text
    assert "\x1b" not in read.text


@pytest.mark.long
def test_the_same_pages_give_the_same_bytes() -> None:
    assert document.__wrapped__(Decision.HOLD) == document(Decision.HOLD)


def test_a_report_whose_drawings_cannot_be_made_says_what_they_would_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(converter, "SCRIPT", "/no/such/script.py")
    page = next(page for page in PAGES if page.__name__ == "latency_page")
    built = page(verdict(Decision.REJECT), tables(Decision.REJECT))
    read = Reader(html.render([built], "report"))
    assert "svg" not in {tag for tag, _ in read.tags}
    charts = [block for block in built.blocks if isinstance(block, Chart)]
    assert charts
    assert all(" ".join(chart.alt.split()) in " ".join(read.text.split()) for chart in charts)


LABELS = (
    "\x00",
    "\x1b[31m",
    "\ufffe",
    "\uffff",
    "\u202e",
    "<b>&",
    "x" * examples(1_000, whole=9_000),
)


def matrix(label: str) -> Chart:
    frame = pl.DataFrame(
        {"production_label": [label], "shadow_label": [label], "predictions": [3], "share": [1.0]}
    )
    built = predictions_page(verdict(Decision.HOLD), {**tables(Decision.HOLD), "flips": frame})
    return next(b for b in built.blocks if isinstance(b, Chart) and b.kind == "matrix")


def test_no_label_that_was_captured_stops_a_drawing() -> None:
    """One converter has to bear them all: none of them ends its process."""
    with Converter() as converts:
        drawn = drawing.svgs({label: matrix(label) for label in LABELS}, converts)
    assert [*drawn] == [*LABELS]
    assert all(one.startswith("<svg") for one in drawn.values())


def test_a_converter_that_ends_early_draws_nothing_and_raises_nothing() -> None:
    with Converter() as converts:
        converts.send("unreadable", {"mark": "no such mark"}, "6.4")
        for number in range(200):
            converts.send(f"late-{number}", {"mark": "point", "fill": "x" * 10_000}, "6.4")
        assert converts.answer() == {}


def test_a_converter_that_starts_before_there_is_a_page_draws_the_same() -> None:
    page = Page("one", "One", (matrix("sure"),))
    with Converter() as early:
        early.start()
        drawn = html.render([page], "report", early)
    assert "<svg" in drawn
    assert drawn == html.render([page], "report")


def test_a_converter_nobody_asked_ends_with_its_block() -> None:
    with Converter() as idle:
        pass
    with Converter() as started:
        started.start()
    assert idle.answer() == {}
    assert started.answer() == {}


def test_large_answers_and_large_specifications_do_not_wait_for_each_other() -> None:
    values = [{"at": number, "text": "x" * 600} for number in range(400)]
    spec = {"data": {"values": values}, "mark": "point", "encoding": {"x": {"field": "at"}}}
    with Converter() as converts:
        for number in range(3):
            converts.send(str(number), spec, "6.4")
        assert [len(text) > 100_000 for text in converts.answer().values()] == [True] * 3
