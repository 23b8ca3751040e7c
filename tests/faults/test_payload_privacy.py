"""No word of any payload, and no key of one, is in any file or page unless the policy says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analyzer import analysis, bundle
from analyzer.analysis import Request
from analyzer.console.progress import silent
from analyzer.report import html, markdown, text
from analyzer.report.content import PAGES
from tests.report import bundles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "canary-7f3a"
PAIRS = 400


def answers(kind: str) -> Iterator[tuple[str, str]]:
    """Answers with a canary in every value and, in documents, in a key of every customer."""
    for k in range(PAIRS):
        if kind == "text":
            yield f"Dear {CANARY} {k}, yes.", f"Dear {CANARY} {k}, no {k % 5}."
        else:
            document = {"total": k, f"{CANARY}-{k}": {"owed": k}, "name": f"{CANARY} {k}"}
            yield json.dumps(document), json.dumps({**document, "total": k + 1, "name": "x"})


def labels() -> Iterator[tuple[str, str]]:
    """Two classes and, where a model answered with something else, names and addresses."""
    for k in range(PAIRS):
        production = "deny" if k % 3 else "approve"
        if k < 19:
            yield CANARY, "deny"
        elif k < 38:
            yield production, f"{CANARY}@mail.test"
        elif k < 60:
            yield f"{CANARY} {k}", f"{CANARY} {k // 2}"
        else:
            yield production, "deny" if k % 40 == 0 else production


def asked(kind: str, folder: Path, payloads: str) -> Request:
    encoding = {"json": "JSON", "text": "TEXT", "label": "CSV"}[kind]
    pairs = labels() if kind == "label" else answers(kind)
    source = bundles.captured(folder / "captures", pairs, encoding)
    overrides = (f"predictions.kind={kind}", f"redaction.payloads={payloads}")
    return Request(source=str(source), overrides=overrides, use_cache=False)


def run(kind: str, folder: Path, payloads: str, *, drawn: bool = False) -> Path:
    return bundles.run_into(folder / "out", asked(kind, folder, payloads), drawn=drawn)


@pytest.fixture(scope="module")
def of_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a run over labels, as it is by default, with drawings."""
    return run("label", tmp_path_factory.mktemp("labels"), "none", drawn=True)


def everything(path: Path) -> Iterator[tuple[str, str]]:
    """Every file of a bundle as text, tables row by row, and every page in every window.

    What the pages' charts show is drawn in report.html, if the bundle's run drew.
    """
    for file in sorted(path.rglob("*")):
        if file.suffix == ".parquet":
            yield file.name, json.dumps(pl.read_parquet(file).rows(), default=str)
        elif file.is_file():
            yield file.name, file.read_text(encoding="utf-8")
    opened = bundle.read(path)
    for build in PAGES:
        page = build(opened.verdict, opened.tables)
        yield f"{page.id}, as text", text.render(page, requests=True).plain
        yield f"{page.id}, as Markdown", markdown.render(page)
        with bundles.undrawn():
            yield f"{page.id}, as HTML", html.render([page], "report")


def assert_unseen(path: Path) -> None:
    found = [name for name, content in everything(path) if CANARY in content]
    assert found == []
    assert bundle.read(path).verdict.ledger.pairs == PAIRS


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_payload_and_no_key_of_one_is_anywhere_by_default(kind: str, tmp_path: Path) -> None:
    assert_unseen(run(kind, tmp_path, "none", drawn=True))


def test_no_label_that_few_answers_have_is_anywhere_by_default(of_labels: Path) -> None:
    assert_unseen(of_labels)


@pytest.mark.parametrize(
    "kind", ["json", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("text", "label"))]
)
def test_no_payload_and_no_key_of_one_is_anywhere_where_they_are_hashed(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    assert_unseen(run(kind, tmp_path, "hashed", drawn=request.config.getoption("--long")))


def test_a_policy_that_shows_payloads_shows_them_where_it_says(tmp_path: Path) -> None:
    path = run("json", tmp_path, "shown")
    found = {name for name, content in everything(path) if CANARY in content}
    assert found == {
        "json_field_changes.parquet",
        "report.html",
        "worst_outputs.parquet",
        "predictions, as HTML",
    }


def test_labels_of_few_answers_are_counted_together_and_classes_keep_their_names(
    of_labels: Path,
) -> None:
    flips = bundle.read(of_labels).tables["flips"]
    assert flips["predictions"].sum() == PAIRS
    found = {(row[0], row[1]): row[2] for row in flips.rows()}
    assert {label for pair in found for label in pair} == {
        "approve",
        "deny",
        "(rare label)",
        "(another rare label)",
    }
    assert found["(rare label)", "deny"] == 19
    assert found["(rare label)", "(another rare label)"] == 22
    assert found["approve", "(rare label)"] + found["deny", "(rare label)"] == 19


def test_a_policy_that_shows_payloads_names_every_label(tmp_path: Path) -> None:
    tables = analysis.run(asked("label", tmp_path, "shown"), silent).tables
    assert CANARY in tables["flips"]["production_label"].to_list()
    assert f"{CANARY}@mail.test" in tables["worst_pairs"]["shadow_value"].to_list()


def test_the_names_of_no_more_than_a_hundred_labels_are_shown(tmp_path: Path) -> None:
    pairs = [(f"class-{k % 120:03d}", f"class-{k % 120:03d}") for k in range(3_000)]
    source = bundles.captured(tmp_path / "captures", pairs)
    overrides = ("predictions.kind=label",)
    request = Request(source=str(source), overrides=overrides, use_cache=False)
    flips = analysis.run(request, silent).tables["flips"]
    assert flips["predictions"].sum() == 3_000
    assert flips.filter(production_label="(rare label)")["predictions"].to_list() == [500]
    assert flips.height == 101
