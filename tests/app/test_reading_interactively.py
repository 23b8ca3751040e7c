"""Addresses, searches and downloads of the report application, over bundles of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import bundle
from analyzer.model import Decision
from tests.app.opening import pages
from tests.replay.replay_builders import World
from tests.report import bundles
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from tests.app.conftest import EveryPage


@pytest.fixture(scope="module")
def hold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that nobody alters."""
    out = tmp_path_factory.mktemp("hold") / "out"
    bundle.write(out, verdict(Decision.HOLD), {}, tables(Decision.HOLD))
    return out


def said(app: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*app.text, *app.caption))


@pytest.mark.parametrize(
    "kind",
    [
        "json",
        "vector",
        "hashed",
        "replay",
        # Numbers and labels are what the bundles of the other tests have, and texts are drawn as
        # hashes, and below as themselves.
        *(
            pytest.param(kind, marks=pytest.mark.long)
            for kind in (*bundles.ANSWERS, "shown")
            if kind not in {"json", "vector"}
        ),
    ],
)
def test_every_page_of_every_kind_of_output_is_drawn(kind: str, tmp_path: Path) -> None:
    if kind == "replay":
        world = World(requests=300, slower=1.1, failing=0.01)
        path = bundles.of_replay(tmp_path, world, drawn=False)
    elif kind in bundles.ANSWERS:
        path = bundles.of_kind(kind, tmp_path, requests=300, drawn=False)
    else:
        path = bundles.of_kind("text", tmp_path, payloads=kind, requests=300, drawn=False)
    app = pages(path)
    assert not app.exception
    assert [title.value for title in app.title][1:] == [
        "Latency", "Errors", "Predictions", "Evidence quality",
    ]  # fmt: skip


def test_an_address_chooses_the_guardrail_that_is_explained(hold: Path) -> None:
    app = pages(hold, {"guardrail": "model_error_rate"}, "verdict")
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
def test_an_address_that_names_nothing_explains_nothing(value: str, hold: Path) -> None:
    app = pages(hold, {"guardrail": value}, "verdict")
    assert not app.exception
    assert app.selectbox(key="guardrail").value is None


def test_every_metric_and_gate_of_the_verdict_can_be_chosen(every_page: EveryPage) -> None:
    one = verdict(Decision.HOLD)
    options = every_page(Decision.HOLD).selectbox(key="guardrail").options
    assert set(options) == {*one.metrics, *one.gates}


def test_an_address_finds_one_of_the_worst_pairs(hold: Path) -> None:
    sought = tables(Decision.HOLD)["worst_pairs"]["inference_id"][3]
    app = pages(hold, {"pair": sought}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["inference ID"]) == [sought]
    app.text_input(key="pair").set_value("nobody").run()
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert found.empty


def test_an_address_chooses_the_worst_pairs_of_one_part(hold: Path) -> None:
    key = "pair by input.tier"
    app = pages(hold, {key: "gold"}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["input.tier"]) == ["gold"] * 15
    assert app.selectbox(key=key).options == ["basic", "gold"]
    app.selectbox(key=key).set_value(None).run()
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert len(found) == 20


def test_every_table_that_a_page_draws_is_downloaded_as_csv_and_parquet(
    every_page: EveryPage,
) -> None:
    buttons = every_page(Decision.HOLD).get("download_button")
    labels = {button.proto.label.replace("\\", "") for button in buttons}
    for name in ("minutes", "running", "worst_pairs", "flips", "rejects", "capture_hours"):
        assert {f"{name}.csv", f"{name}.parquet"} <= labels
    assert "Download verdict.json" in labels


def test_words_that_only_one_variant_has_are_marked_in_the_page(tmp_path: Path) -> None:
    path = bundles.of_kind("text", tmp_path, payloads="shown", requests=200, drawn=False)
    app = pages(path)
    assert not app.exception
    marked = "".join(element.proto.body for element in app.get("html"))
    assert marked.count("<del>") > 10
    assert marked.count("<ins>") > 10
