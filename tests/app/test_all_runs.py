"""A folder of several bundles: which one is shown, the list of all, and the difference of two."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from analyzer import bundle
from analyzer.model import Decision
from analyzer.report.content.page import Notes, Table
from analyzer.report.content.runs_page import runs_page
from tests.app.opening import APP
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bundles and something else, which nobody alters."""
    folder = tmp_path_factory.mktemp("runs")
    for name, decision in (("monday", Decision.HOLD), ("tuesday", Decision.REJECT)):
        bundle.write(folder / name, verdict(decision), {}, tables(decision))
    (folder / "notes").mkdir()
    return folder


def opened(path: Path, monkeypatch: pytest.MonkeyPatch, address: Mapping[str, str]) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(APP / "report.py"), str(path)])
    app = AppTest.from_file(str(APP / "report.py"), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize(("name", "word"), [("monday", "HOLD"), ("tuesday", "REJECT")])
def test_an_address_names_the_bundle_that_is_shown(
    name: str, word: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(folder, monkeypatch, {"bundle": name})
    assert not app.exception
    assert word in app.title[0].value
    links = [element.proto.label for element in app.get("page_link")]
    assert links[-1] == "All runs"


@pytest.mark.parametrize(
    "name",
    [
        "../..",
        "notes",
        "/etc",
        pytest.param("wednesday", marks=pytest.mark.long),
        pytest.param("", marks=pytest.mark.long),
    ],
)
def test_an_address_leads_to_no_other_folder(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(folder, monkeypatch, {"bundle": name})
    assert not app.exception
    assert "HOLD" in app.title[0].value


def test_a_bundle_that_was_altered_does_not_hide_the_others(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered = shutil.copytree(folder, tmp_path / "altered")
    (altered / "monday" / "verdict.json").write_text("{}", encoding="utf-8")
    app = opened(altered, monkeypatch, {"bundle": "monday"})
    assert not app.exception
    assert "altered" in "\n".join(str(text.value) for text in app.text)
    cells = [str(cell) for table in app.table for cell in table.value.to_numpy().ravel()]
    assert any("REJECT" in cell for cell in cells)


def test_two_runs_are_compared_and_all_are_listed_with_decision_and_window() -> None:
    runs = {"monday": verdict(Decision.HOLD), "tuesday": verdict(Decision.REJECT)}
    page = runs_page({**runs, "broken": "no manifest"}, ("monday", "tuesday"))
    listed, broken = page.blocks[:2]
    assert isinstance(listed, Table)
    assert [row[:2] for row in listed.rows] == [("tuesday", "✗ REJECT"), ("monday", "‖ HOLD")]
    assert all("2026-11-20" in row[2] for row in listed.rows)
    assert [column.title for column in listed.columns[4:6]] == ["production", "shadow"]
    assert all(row[4:6] == ("xgb-v1", "xgb-v2") for row in listed.rows)
    assert isinstance(broken, Notes)
    assert broken.items[0].text == "no manifest"
    assert len(page.blocks) > 4
    assert "HOLD" in repr(page.blocks[2])
    assert "REJECT" in repr(page.blocks[2])
