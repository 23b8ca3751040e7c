"""The terminal and Markdown windows: same cells, right order, nothing of the data acts."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from analyzer.model import Decision, Intervals, Needs, Note, Reason, Verdict
from analyzer.report import markdown, text
from analyzer.report.content import (
    PAGES,
    errors_page,
    evidence_page,
    predictions_page,
    verdict_page,
)
from analyzer.report.content.page import Facts, Headline, Page, Request, Strip, Table
from tests.report.frames import tables
from tests.report.verdicts import effect, hostile, verdict

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.test\x07link\x1b]8;;\x07",
    "\x9b31m",
    "first\nsecond",
    "first\r::error::injected",
    "\u202ereversed",
    "[bold red]markup[/bold red]",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://evil.test/a.png)",
    "[x](javascript:alert(1))",
    "@octocat #1 GH-1",
    "| a | b |",
    "```\ncode",
    "`code`",
    "::set-output name=a::b",
    "%0A::error::injected",
    "http://evil.test www.evil.test",
    "&lt;b&gt;",
    "=cmd()",
]


def table_of(page: Page) -> Table:
    return next(block for block in page.blocks if isinstance(block, Table))


def test_terminal_ends_with_the_decision_and_the_next_command() -> None:
    lines = text.render(verdict_page(verdict(Decision.REJECT), bundle="out")).plain.splitlines()
    assert (
        lines[-2]
        == "REJECT  p99 latency is 41 % to 57 % higher than production; the policy allows 20 %."
    )
    assert lines[-1] == "report: analyzer report out"


def test_terminal_aligns_bounds_and_puts_the_margin_beside_them() -> None:
    lines = text.render(verdict_page(verdict(Decision.REJECT), bundle="out")).plain.splitlines()
    mean, p99 = (
        next(line for line in lines if line.startswith(m)) for m in ("latency_mean", "latency_p99")
    )
    assert "[  +2.8 ..   +5.3]" in mean
    assert "[ +41.0 ..  +57.3]" in p99
    assert mean.index("[") == p99.index("[")
    assert re.search(r"\+57\.3\]\s+< \+20 %  FAIL$", p99)


def test_unmeasured_metric_shows_question_mark_and_footnote_never_zero() -> None:
    plain = text.render(verdict_page(verdict(Decision.HOLD), bundle="out")).plain
    row = next(line for line in plain.splitlines() if line.startswith("model_error_rate"))
    assert re.search(r"-\s+-\s+\?\s+\?\s+< \+0\.10 pp\s+unresolved \(\d\)$", row)
    assert "0.0" not in row.replace("+0.10", "")
    assert "not-exported: InvocationModelErrors is not in the export" in plain


def test_terminal_marks_what_decides_and_markdown_says_it() -> None:
    page = verdict_page(verdict(Decision.HOLD), bundle="out")
    plain = text.render(page).plain
    assert re.search(r"^latency_mean\*  ", plain, re.MULTILINE)
    assert re.search(r"^flip_rate~  ", plain, re.MULTILINE)
    assert "* required for PROMOTE   ~ for a person to review" in plain
    assert re.search(r"\| flip_rate \|.*\| review \| pass", markdown.render(page))


def test_footnotes_are_numbered_in_reading_order_beside_the_outcome() -> None:
    table = table_of(verdict_page(hostile("odd")))
    assert [note.mark for note in table.notes] == [f"({n + 1})" for n in range(len(table.notes))]
    assert not any("(" in cell for row in table.rows for cell in row[:-1])


def test_text_of_a_closed_gate_stands_once_in_a_pull_request() -> None:
    one = verdict(Decision.HOLD)
    reason = one.reasons[2].model_copy(update={"text": one.gates["coverage"].text})
    page = verdict_page(one.model_copy(update={"reasons": (reason,)}))
    assert markdown.render(page).count("shadow data in 91.3 %") == 1
    assert text.render(page).plain.count("shadow data in 91.3 %") == 1


def test_unfinished_run_is_not_told_to_export() -> None:
    for build in PAGES[1:4]:
        marked = markdown.render(build(verdict(Decision.ERROR), {}))
        assert marked.count("The run did not finish: The run stopped") == 1
        assert "Export" not in marked


def test_pass_above_no_change_is_worded_once() -> None:
    plain = text.render(verdict_page(verdict(Decision.PROMOTE), bundle="out")).plain
    assert "pass (1)" in plain
    assert "(1) slower-within-margin: the shadow is slower for certain" in plain
    assert "slower, within margin" not in plain


def test_equal_advice_is_given_once_and_names_whom_it_is_for() -> None:
    one = verdict(Decision.HOLD)
    reasons = [
        Reason(code="x", metric=metric, text=f"{metric} is open.", advice="Wait.")
        for metric in ("latency_p95", "latency_p99")
    ]
    page = verdict_page(one.model_copy(update={"reasons": tuple(reasons)}), bundle="out")
    assert "\n- latency_p95, latency_p99: Wait.\n" in text.render(page).plain
    assert (
        "- **latency_p95, latency_p99**: latency_p95 is open. latency_p99 is open. Wait."
        in markdown.render(page)
    )


def test_closed_gates_are_short_footnotes_and_their_text_stands_once() -> None:
    one = verdict(Decision.HOLD)
    gated = one.metrics["latency_mean"].model_copy(
        update={"notes": (Note(code="gate-coverage", text="gate coverage is closed"),)}
    )
    metrics = one.metrics | {"latency_mean": gated}
    plain = text.render(verdict_page(one.model_copy(update={"metrics": metrics}))).plain
    assert "(1) gate coverage is closed\n" in plain
    assert plain.count("shadow data in 91.3 %") == 1


def test_closed_gate_is_named_with_its_text() -> None:
    plain = text.render(verdict_page(verdict(Decision.HOLD), bundle="out")).plain
    assert "coverage closed: shadow data in 91.3 %" in plain


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.HOLD])
def test_gates_are_open_or_closed_in_every_sentence(decision: Decision) -> None:
    one = verdict(decision)
    page = verdict_page(one)
    strip = next(block for block in page.blocks if isinstance(block, Strip))
    detail = next(block for block in page.blocks if isinstance(block, Headline)).detail
    closed = [check for check in strip.items if check.word.startswith("closed")]
    rest = [check for check in strip.items if check not in closed]
    assert {check.label for check in closed} == {g for g in one.gates if one.gates[g].closed}
    assert all(check.word.startswith("open") for check in rest)
    assert f"{len(rest)} open (not measured: deployment)" in strip.summary
    assert ("1 closed" in strip.summary) is bool(closed)
    assert ("1 gate closed" if closed else "no gate closed") in detail
    assert "FAIL" not in text.render(page).plain.split("gates: ")[1].split("\n\n")[0]


def test_gate_that_could_not_be_measured_says_whether_that_closes_it() -> None:
    one = verdict(Decision.PROMOTE)
    blocking = one.gates["deployment"].model_copy(update={"when_not_measured": "blocks"})
    for gate, word in ((one.gates["deployment"], "open"), (blocking, "closed")):
        page = verdict_page(one.model_copy(update={"gates": {"deployment": gate}}))
        strip = next(block for block in page.blocks if isinstance(block, Strip))
        assert strip.items[0].word == f"{word}, not measured"
        assert strip.summary == f"1 {word} (not measured: deployment)"


def test_sentence_said_by_a_note_and_by_the_needs_is_one_footnote() -> None:
    one = verdict(Decision.HOLD)
    silent = one.metrics["model_error_rate"].model_copy(
        update={
            "notes": (Note(code="no-captures", text="no captured pairs were given"),),
            "needs": Needs(text="No captured pairs were given."),
        }
    )
    page = verdict_page(one.model_copy(update={"metrics": {"model_error_rate": silent}}))
    marked = markdown.render(page)
    assert marked.lower().count("no captured pairs were given") == 1


def test_change_that_is_not_judged_says_so_and_gives_its_interval_for_one_look() -> None:
    one = verdict(Decision.PROMOTE)
    bias = one.metrics["score_bias"].model_copy(
        update={
            "effect": effect("difference", 0.0012, None, None),
            "intervals": Intervals(fixed=(0.0004, 0.002)),
        }
    )
    shown = table_of(predictions_page(one.model_copy(update={"metrics": {"score_bias": bias}}), {}))
    row = dict(zip((column.title for column in shown.columns), shown.rows[0], strict=True))
    assert row["judged interval"] == "-"
    assert row["outcome"] == "info (1)"
    assert (
        shown.notes[0].text == "not judged; its interval for this one look is [+0.0004 .. +0.0020]"
    )
    assert (row["production"], row["shadow"]) == ("0.412", "0.413")


def test_pairing_rate_is_one_number_on_every_page() -> None:
    one = verdict(Decision.PROMOTE)
    exact = one.pairing.model_copy(update={"rate": 0.99982})
    said = [
        markdown.render(build(one.model_copy(update={"pairing": exact}), tables(Decision.PROMOTE)))
        for build in (PAGES[0], PAGES[3], PAGES[4])
    ]
    assert all("99.9 %" in page for page in said)
    assert not any("99.98" in page for page in said)


@pytest.mark.parametrize(
    ("sampling", "said"),
    [(1.0, "the same requests"), (0.5, "copies of 50.0 % of"), (None, "copies of some of")],
)
def test_errors_page_says_same_requests_only_where_all_are_copied(
    sampling: float | None, said: str
) -> None:
    one = verdict(Decision.PROMOTE)
    pairing = one.pairing.model_copy(update={"expected_sampling": sampling})
    lead = errors_page(one.model_copy(update={"pairing": pairing}), {}).lead
    assert said in lead
    assert ("the same requests" in lead) is (sampling == 1)


@pytest.mark.parametrize("decision", list(Decision))
@pytest.mark.parametrize("number", range(len(PAGES)))
def test_every_page_can_be_printed_for_every_decision(number: int, decision: Decision) -> None:
    frames = {} if decision is Decision.ERROR else tables(decision)
    page = PAGES[number](verdict(decision), frames)
    assert text.render(page).plain.strip()
    assert markdown.render(page).endswith("\n")


def test_terminal_and_markdown_show_the_same_cells() -> None:
    page = verdict_page(verdict(Decision.HOLD), bundle="out")
    plain = re.sub(r"\s+", "", text.render(page).plain)
    marked = markdown.render(page)
    shown = table_of(page)
    for row in shown.rows:
        for column, cell in zip(shown.columns, row, strict=True):
            assert markdown.escape(cell) in marked
            assert column.wide or re.sub(r"\s+", "", cell) in plain


@pytest.mark.parametrize("string", HOSTILE)
def test_terminal_prints_no_control_character_of_the_data(string: str) -> None:
    for build in PAGES:
        plain = text.render(build(hostile(string), tables(Decision.HOLD))).plain
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", plain)
        assert not any(line.startswith("second") for line in plain.splitlines())


@pytest.mark.parametrize("string", HOSTILE)
def test_colour_codes_come_from_the_tool_only(string: str) -> None:
    console = Console(file=io.StringIO(), force_terminal=False, width=400)
    console.print(text.render(verdict_page(hostile(string))))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b" not in console.file.getvalue()
    if string.startswith("[bold"):
        assert "[bold red]markup" in console.file.getvalue()


@pytest.mark.parametrize("string", HOSTILE)
def test_markdown_of_the_data_stays_text(string: str) -> None:
    marked = markdown.render(verdict_page(hostile(string), bundle="out"))
    assert not re.search(r"<(?!/?sub>)", marked)
    assert not re.search(r"(?<!\\)!\[", marked)
    assert not re.search(r"(?<!\\)\]\(", marked)
    assert not re.search(r"[@#]\w", marked)
    assert not re.search(r"https?://|www\.", marked)
    assert "%0A" not in marked
    assert not any(
        line.lstrip().startswith(("::", "```", "second")) for line in marked.splitlines()
    )
    rows = [line for line in marked.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}


def test_markdown_keeps_plain_words_and_numbers_as_they_are() -> None:
    assert markdown.escape("latency_p99 [+2.8 .. +5.3] (1)") == "latency_p99 [+2.8 .. +5.3] (1)"


def test_a_promote_says_in_the_report_how_it_is_carried_out() -> None:
    def plans(decision: Decision, bundle: str = "") -> list[str]:
        page = verdict_page(verdict(decision, name="it's"), bundle=bundle)
        requests = [block for block in page.blocks if isinstance(block, Request)]
        return [block.text for block in requests if block.title == "Promotion plan"]

    (commands,) = plans(Decision.PROMOTE)
    first, second = commands.splitlines()
    assert shlex.split(first) == ["analyzer", "promote", "BUNDLE", "--endpoint", "it's"]
    assert second == f"{first} --apply"
    assert plans(Decision.HOLD) == plans(Decision.REJECT) == plans(Decision.ERROR) == []
    assert plans(Decision.PROMOTE, bundle="analysis") == []


def test_of_how_many_requests_pairs_are_is_said_where_captures_took_few() -> None:
    """Of 2 % of the requests there are records, and nearly all of these are paired."""
    scenario = Path(__file__).parents[2] / "sample_data" / "promote" / "expected_verdict.json"
    judged = Verdict.model_validate_json(scenario.read_text(encoding="utf-8"))
    (sampling,) = [
        block
        for block in evidence_page(judged, {}).blocks
        if isinstance(block, Facts) and block.title == "Sampling"
    ]
    assert sampling.items[0].label == "captured of production"
    assert sampling.items[0].value == "2.00 %"
    assert sampling.items[0].detail == "5 532 records of 276 037 invocations in CloudWatch."
    said = text.render(verdict_page(judged)).plain
    assert "(99.9 % of shadow records, 99.9 % of production records; " in said


def test_the_sentence_below_the_decision_begins_as_one() -> None:
    for decision in (Decision.PROMOTE, Decision.HOLD, Decision.REJECT):
        (banner,) = (
            block for block in verdict_page(verdict(decision)).blocks if isinstance(block, Headline)
        )
        assert banner.detail[0].isupper()


@pytest.mark.parametrize("decision", [Decision.PROMOTE, Decision.HOLD, Decision.REJECT])
def test_what_to_do_first_is_a_sentence_of_its_own(decision: Decision) -> None:
    page = verdict_page(verdict(decision))
    (banner,) = (block for block in page.blocks if isinstance(block, Headline))
    sure, _, step = banner.detail.partition(" closed. ")
    assert sure.startswith("A pass is ")
    assert step[0].isupper()
    assert step.endswith(".")


def test_digests_wrap_and_are_not_cut() -> None:
    """A grid of one line a row cuts 71 characters on a phone; a table of sentences does not."""
    (read,) = (
        block
        for block in evidence_page(verdict(Decision.HOLD), {}).blocks
        if isinstance(block, Table) and block.title == "What was read"
    )
    assert [column.title for column in read.columns if column.sentence] == ["amount"]
    assert any("sha256:" in cell for row in read.rows for cell in row)
