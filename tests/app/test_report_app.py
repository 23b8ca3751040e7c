"""Every page of the report application, for every kind of decision, without a browser."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from analyzer import bundle
from analyzer.model import Decision, Verdict
from analyzer.report.content import PAGES
from analyzer.report.plain_text import unbroken
from tests.app.opening import APP, pages
from tests.report.frames import tables
from tests.report.verdicts import hostile, verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.app.conftest import EveryPage


def written(folder: Path, decision: Decision, made: Verdict | None = None) -> Path:
    out = folder / "out"
    drawn = {} if decision is Decision.ERROR else tables(decision)
    bundle.write(out, made or verdict(decision), {"summary.md": "summary\n"}, drawn)
    return out


def opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(sys, "argv", [str(APP / "report.py"), str(path)])
    return AppTest.from_file(str(APP / "report.py"), default_timeout=60).run()


@pytest.fixture(scope="module")
def first_page(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Decision], AppTest]:
    """The application over a bundle of each decision, opened once for whoever only looks at it."""

    @cache
    def of(decision: Decision) -> AppTest:
        with pytest.MonkeyPatch.context() as patched:
            return opened(written(tmp_path_factory.mktemp("bundle"), decision), patched)

    return of


def shown(app: AppTest) -> str:
    kinds = (*app.text, *app.title, *app.subheader, *app.caption)
    return "\n".join(str(element.value) for element in kinds)


@pytest.mark.parametrize("decision", list(Decision))
def test_first_page_says_the_decision_and_why(
    decision: Decision, first_page: Callable[[Decision], AppTest]
) -> None:
    app = first_page(decision)
    assert not app.exception
    assert decision.value in app.title[0].value
    assert app.text[0].value == unbroken(verdict(decision).summary)


def test_the_column_of_names_is_wide_enough_for_the_longest(
    first_page: Callable[[Decision], AppTest],
) -> None:
    """The grid measures its first rows only, and a longer name stands further down."""
    judged = first_page(Decision.HOLD).dataframe[0]
    longest = max(map(len, judged.value["metric"]))
    assert longest > len("latency_mean")
    assert json.loads(judged.proto.columns)["metric"]["width"] >= 7 * longest


# The pages of PROMOTE and REJECT are made of the blocks of HOLD, and their first ones are drawn
# above.
@pytest.mark.parametrize(
    "decision",
    [
        pytest.param(one, marks=pytest.mark.long)
        if one in {Decision.PROMOTE, Decision.REJECT}
        else one
        for one in Decision
    ],
)
def test_every_page_is_drawn_for_every_decision(decision: Decision, every_page: EveryPage) -> None:
    app = every_page(decision)
    assert not app.exception
    said = shown(app)
    for build in PAGES:
        assert build(verdict(decision), {}).lead in said.replace("\\", "")


def test_missing_bundle_is_a_sentence_not_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(tmp_path / "nowhere", monkeypatch)
    assert not app.exception
    assert "no such bundle" in shown(app)
    assert "Traceback" not in shown(app)


def test_altered_bundle_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, Decision.HOLD)
    body = json.loads((path / "verdict.json").read_text(encoding="utf-8"))
    body["decision"] = "PROMOTE"
    (path / "verdict.json").write_text(json.dumps(body), encoding="utf-8")
    app = opened(path, monkeypatch)
    assert not app.exception
    assert "altered" in shown(app)
    assert "PROMOTE" not in shown(app)


def test_no_bundle_named_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(APP / "report.py")])
    app = AppTest.from_file(str(APP / "report.py"), default_timeout=60).run()
    assert "analyzer report BUNDLE" in shown(app)


def test_a_new_run_is_not_shown_as_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(written(tmp_path, Decision.HOLD), monkeypatch)
    second = opened(written(tmp_path, Decision.REJECT), monkeypatch)
    assert "HOLD" in first.title[0].value
    assert "REJECT" in second.title[0].value


def test_hostile_names_never_reach_a_markdown_call_unescaped(tmp_path: Path) -> None:
    path = written(tmp_path, Decision.HOLD, hostile("![x](http://evil.test/a.png)"))
    app = pages(path)
    assert not app.exception
    marked = (*app.markdown, *app.caption, *app.subheader, *app.title)
    for element in marked:
        assert "![x]" not in str(element.value)
    cells = [str(cell) for table in app.table for cell in table.value.to_numpy().ravel()]
    assert any("evil" in cell for cell in cells)
    assert not any("![x]" in cell for cell in cells)


def test_outcome_and_interval_stand_beside_the_metric(
    first_page: Callable[[Decision], AppTest],
) -> None:
    app = first_page(Decision.REJECT)
    order = list(app.dataframe[0].proto.column_order)
    assert order[:4] == ["metric", "outcome", "judged interval", "margin"]
    assert sorted(order) == sorted(app.dataframe[0].value.columns)


def test_gates_are_counted_where_they_are_shown(
    first_page: Callable[[Decision], AppTest],
) -> None:
    app = first_page(Decision.HOLD)
    assert "5 open (not measured: deployment), 1 closed" in shown(app)
    assert "1 gate closed" in shown(app)


def test_every_page_is_one_click_away_and_nothing_is_in_a_drawer(
    first_page: Callable[[Decision], AppTest],
) -> None:
    app = first_page(Decision.HOLD)
    links = [element.proto.label for element in app.get("page_link")]
    assert links == [build(verdict(Decision.HOLD), {}).title for build in PAGES]
    assert not app.sidebar.children
