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

    from analyzer.model import Verdict


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


def shown(app: AppTest) -> str:
    kinds = (*app.title, *app.text, *app.subheader)
    cells = [str(cell) for table in app.table for cell in table.value.to_numpy().ravel()]
    return "\n".join([*(str(element.value) for element in kinds), *cells])


@pytest.mark.parametrize(
    "name",
    [
        "wednesday",
        "../..",
        "notes",
        pytest.param("/etc", marks=pytest.mark.long),
        pytest.param("a" * 5_000, marks=pytest.mark.long),
    ],
)
def test_an_address_that_names_no_run_shows_the_list_and_no_other_verdict(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(folder, monkeypatch, {"bundle": name})
    assert not app.exception
    assert [title.value for title in app.title] == ["No such run", "All runs"]
    assert f"There is no run named {name[:70]}" in shown(app)
    assert app.selectbox(key="bundle").value is None
    for run in ("monday", "tuesday"):
        assert run in shown(app)
    app.run()
    assert app.title[0].value == "No such run"
    app.selectbox(key="bundle").set_value("monday").run()
    assert "No such run" not in shown(app)
    assert next(one.proto.label for one in app.get("page_link")) == "Verdict"


def test_an_address_of_a_run_that_is_gone_shows_not_the_one_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle.write(tmp_path / "monday", verdict(Decision.PROMOTE), {}, tables(Decision.PROMOTE))
    app = opened(tmp_path, monkeypatch, {"bundle": "sunday"})
    assert [title.value for title in app.title] == ["No such run", "All runs"]
    assert "sunday" in shown(app)
    assert "✓ PROMOTE" in opened(tmp_path, monkeypatch, {"bundle": "monday"}).title[0].value


def ending(decision: Decision, end: str) -> Verdict:
    made = verdict(decision)
    assert made.window is not None
    return made.model_copy(update={"window": made.window.model_copy(update={"end": end})})


def test_an_address_that_names_none_opens_the_latest_and_says_so_in_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = (
        ("a", Decision.HOLD, "2026-11-21T00:00:00Z"),
        ("b", Decision.REJECT, "2026-11-23T00:00:00Z"),
        ("c", Decision.PROMOTE, "2026-11-22T00:00:00Z"),
    )
    for name, decision, end in ends:
        bundle.write(tmp_path / name, ending(decision, end), {}, tables(decision))
    app = opened(tmp_path, monkeypatch, {})
    assert not app.exception
    assert "REJECT" in app.title[0].value
    assert app.selectbox(key="bundle").options == ["b", "c", "a"]
    assert app.query_params["bundle"] == "b"


def test_of_runs_that_end_together_the_last_by_name_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert opened(folder, monkeypatch, {}).selectbox(key="bundle").value == "tuesday"


def test_a_page_without_what_the_address_asks_for_leads_to_the_one_that_has_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(folder, monkeypatch, {"bundle": "monday", "pair": "zzz"})
    assert not app.exception
    (link,) = [one.proto for one in app.get("page_link") if "pair" in one.proto.label]
    assert link.label.replace("\\", "") == "The address asks for pair zzz: see Predictions"
    assert link.query_string == "pair=zzz"
    assert not opened(folder, monkeypatch, {"bundle": "monday"}).get("page_link")[6:]


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
