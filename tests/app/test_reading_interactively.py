"""Addresses, searches and downloads of the report application, over bundles of every kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from analyzer import bundle
from analyzer.model import Decision
from tests.replay.replay_builders import World
from tests.report import bundles
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

APP = Path(__file__).parents[2] / "app"
PAGE_SCRIPT = """
from pathlib import Path
from analyzer import bundle
from analyzer.report.content import PAGES
from blocks import draw
opened = bundle.read(Path({path!r}))
for build in PAGES:
    if build.__name__.startswith({page!r}):
        draw(build(opened.verdict, opened.tables))
"""


@pytest.fixture(scope="module")
def hold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that nobody alters."""
    out = tmp_path_factory.mktemp("hold") / "out"
    bundle.write(out, verdict(Decision.HOLD), {}, tables(Decision.HOLD))
    return out


def opened(
    path: Path, monkeypatch: pytest.MonkeyPatch, address: Mapping[str, str], page: str = ""
) -> AppTest:
    """The page whose name begins so, of a bundle; all of them without a name."""
    monkeypatch.syspath_prepend(APP)
    app = AppTest.from_string(PAGE_SCRIPT.format(path=str(path), page=page), default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.text, *app.caption))


@pytest.mark.parametrize(
    "kind",
    [
        *(kind for kind in bundles.ANSWERS if kind != "text"),
        "hashed",
        "replay",
        # Texts are drawn as hashes, and below as themselves.
        pytest.param("text", marks=pytest.mark.long),
        pytest.param("shown", marks=pytest.mark.long),
    ],
)
def test_every_page_of_every_kind_of_output_is_drawn(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "replay":
        world = World(requests=300, slower=1.1, failing=0.01)
        path = bundles.of_replay(tmp_path, world, drawn=False)
    elif kind in bundles.ANSWERS:
        path = bundles.of_kind(kind, tmp_path, requests=300, drawn=False)
    else:
        path = bundles.of_kind("text", tmp_path, payloads=kind, requests=300, drawn=False)
    app = opened(path, monkeypatch, {})
    assert not app.exception
    assert [title.value for title in app.title][1:] == [
        "Latency", "Errors", "Predictions", "Evidence quality",
    ]  # fmt: skip


def test_an_address_chooses_the_guardrail_that_is_explained(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(hold, monkeypatch, {"guardrail": "model_error_rate"}, "verdict")
    assert not app.exception
    assert app.selectbox(key="guardrail").value == "model_error_rate"
    text = said(app)
    assert "export InvocationModelErrors" in text
    assert "what would settle it" in text
    assert "as long as it is unresolved nothing is promoted" in text


@pytest.mark.parametrize(
    "value",
    [
        "no_such_metric",
        "<script>",
        pytest.param("a" * 5_000, marks=pytest.mark.long),
        pytest.param("", marks=pytest.mark.long),
    ],
)
def test_an_address_that_names_nothing_explains_nothing(
    value: str, hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(hold, monkeypatch, {"guardrail": value}, "verdict")
    assert not app.exception
    assert app.selectbox(key="guardrail").value is None


def test_every_metric_and_gate_of_the_verdict_can_be_chosen(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = verdict(Decision.HOLD)
    options = opened(hold, monkeypatch, {}, "verdict").selectbox(key="guardrail").options
    assert set(options) == {*one.metrics, *one.gates}


def test_an_address_finds_one_of_the_worst_pairs(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = tables(Decision.HOLD)["worst_pairs"]["inference_id"][3]
    app = opened(hold, monkeypatch, {"pair": sought}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["inference ID"]) == [sought]
    app.text_input(key="pair").set_value("nobody").run()
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert found.empty


def test_an_address_chooses_the_worst_pairs_of_one_part(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "pair by input.tier"
    app = opened(hold, monkeypatch, {key: "gold"}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["input.tier"]) == ["gold"] * 15
    assert app.selectbox(key=key).options == ["basic", "gold"]
    app.selectbox(key=key).set_value(None).run()
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert len(found) == 20


def test_every_table_that_a_page_draws_is_downloaded_as_csv_and_parquet(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {button.proto.label.replace("\\", "") for button in
              opened(hold, monkeypatch, {}).get("download_button")}  # fmt: skip
    for name in ("minutes", "running", "worst_pairs", "flips", "rejects", "capture_hours"):
        assert {f"{name}.csv", f"{name}.parquet"} <= labels
    assert "Download verdict.json" in labels


def test_words_that_only_one_variant_has_are_marked_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundles.of_kind("text", tmp_path, payloads="shown", requests=200, drawn=False)
    app = opened(path, monkeypatch, {})
    assert not app.exception
    marked = "".join(element.proto.body for element in app.get("html"))
    assert marked.count("<del>") > 10
    assert marked.count("<ins>") > 10
