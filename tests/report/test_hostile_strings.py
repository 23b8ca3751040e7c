"""Fifty hostile strings in every untrusted field, in every window but the browser's."""

from __future__ import annotations

import csv as reader
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import polars as pl
import pytest
from markdown_it import MarkdownIt

from analyzer.report import github, html, junit, markdown, text
from analyzer.report.content import PAGES, verdict_page
from analyzer.report.plain_text import clean
from analyzer.report.spreadsheet import csv
from tests.report.hostile_strings import (
    EVIL,
    STRINGS,
    hostile_document,
    hostile_tables,
    hostile_texts,
    hostile_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = re.compile(
    "html|head|meta|title|style|body|nav|a|main|section|h[12]|header|p|d[ltd]|div|table|thead|"
    "tbody|t[rhd]|span|ul|li|figure|figcaption|details|summary|pre|b|del|ins|svg|g|path|rect|"
    "text|line|defs|clippath|lineargradient|stop|tspan"
)
MARKDOWN = re.compile("h[23]|p|ul|li|strong|table|thead|tbody|t[rhd]|sub|br|code")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Seen(HTMLParser):
    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_document_of_texts() -> str:
    pages = [build(hostile_verdict(), hostile_texts()) for build in PAGES]
    return html.render(pages, STRINGS[0])


def plain(content: str) -> str:
    return " ".join(clean(content).split())


def test_there_are_fifty_strings_and_each_is_another() -> None:
    assert len(set(STRINGS)) == 50


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(hostile_document_of_texts, id="drawings of texts"),
        pytest.param(hostile_document, id="all drawings", marks=pytest.mark.long),
    ],
)
def test_report_html_shows_every_string_and_obeys_none(document: Callable[[], str]) -> None:
    seen = Seen(document())
    assert [tag for tag in seen.tags if not OURS.fullmatch(tag)] == []
    for name, value in seen.attributes:
        assert not name.startswith("on")
        if name in {"href", "src", "action"}:
            assert EVIL not in value
        if name == "style":
            assert re.fullmatch(r"max-width: [\d.]+px", value), value
    said = plain(seen.text)
    assert [one for one in STRINGS if plain(one) not in said] == []


def test_the_summary_is_read_by_a_markdown_reader_as_text_alone() -> None:
    summary = markdown.render(verdict_page(hostile_verdict()))
    reader_ = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    seen = Seen(reader_.render(summary))
    assert [tag for tag in seen.tags if not MARKDOWN.fullmatch(tag)] == []
    assert not CONTROL.search(summary)
    said = plain(seen.text.replace("\u200b", "").replace("\u2060", ""))
    assert [one for one in STRINGS if plain(one) not in said] == []
    assert not re.search(r"(?:^|\s)@\w|https?://evil|www\.evil", summary)
    assert len([line for line in summary.splitlines() if line.startswith("## ")]) == 1


def test_the_terminal_gets_no_control_character_and_no_line_that_is_not_ours() -> None:
    page = verdict_page(hostile_verdict(), bundle="out")
    lines = text.render(page).plain
    assert not CONTROL.search(lines)
    assert not any(line.startswith(("PROMOTE", "::")) for line in lines.splitlines())


def test_a_ci_log_sees_one_command_for_the_decision_and_one_for_each_reason() -> None:
    lines = github.render(hostile_verdict()).splitlines()
    assert len(lines) == 1 + len(STRINGS)
    assert all(re.match(r"::(warning|error) title=[^:]*::", line) for line in lines)


def test_junit_is_xml_with_no_element_that_is_not_ours() -> None:
    root = ET.fromstring(junit.render(hostile_verdict()))  # noqa: S314 - written here
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "skipped", "error",
        "system-out", "system-err", "properties", "property",
    }  # fmt: skip
    assert not CONTROL.search("".join(root.itertext()))


@pytest.mark.parametrize(
    "name", ["worst_pairs", "worst_outputs", "rejects", "flips", "json_field_changes", "labels"]
)
def test_no_cell_of_a_download_is_a_formula(name: str) -> None:
    frame = hostile_tables()[name]
    rows = list(reader.reader(io.StringIO(csv(frame))))
    texts = [at for at, kind in enumerate(frame.schema.values()) if kind == pl.String]
    assert len(rows) == 1 + frame.height
    for row in rows:
        assert len(row) == frame.width
        for at in texts:
            assert not re.match(r"\s*[=+\-@|%]", row[at])
            assert not CONTROL.search(row[at])
