"""No word of any payload, and no key of one, is in any file or page unless the policy says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analyzer import bundle
from analyzer.analysis import Request
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


def run(kind: str, folder: Path, payloads: str) -> Path:
    encoding = {"json": "JSON", "text": "TEXT"}[kind]
    source = bundles.captured(folder / "captures", answers(kind), encoding)
    overrides = (f"predictions.kind={kind}", f"redaction.payloads={payloads}")
    return bundles.run_into(folder / "out", Request(source=str(source), overrides=overrides))


def everything(path: Path) -> Iterator[tuple[str, str]]:
    """Every file of a bundle as text, tables row by row, and every page in every window."""
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
        yield f"{page.id}, as HTML", html.render([page], "report")


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_payload_and_no_key_of_one_is_anywhere_by_default(kind: str, tmp_path: Path) -> None:
    for payloads in ("none", "hashed"):
        path = run(kind, tmp_path / payloads, payloads)
        found = [name for name, content in everything(path) if CANARY in content]
        assert found == [], payloads
        assert bundle.read(path).verdict.ledger.pairs == PAIRS


def test_a_policy_that_shows_payloads_shows_them_where_it_says(tmp_path: Path) -> None:
    path = run("json", tmp_path, "shown")
    found = {name for name, content in everything(path) if CANARY in content}
    assert found == {
        "json_field_changes.parquet",
        "report.html",
        "worst_outputs.parquet",
        "predictions, as HTML",
    }
