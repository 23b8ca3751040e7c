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
    "value", ["no_such_metric", "<script>", pytest.param("a" * 5_000, marks=pytest.mark.long)]
)
def test_an_address_that_names_nothing_says_so_and_explains_nothing(value: str, hold: Path) -> None:
    app = pages(hold, {"guardrail": value}, "verdict")
    assert not app.exception
    assert app.selectbox(key="guardrail").value is None
    (line,) = [text.value for text in app.text if "The address asks for" in str(text.value)]
    assert line.startswith(f"The address asks for {value[:70]}")
    assert line.endswith(", which is none of these.")
    assert len(line) < 150
    app.selectbox(key="guardrail").set_value("latency_p99").run()
    assert "none of these" not in said(app)


@pytest.mark.parametrize("address", [{}, {"guardrail": ""}])
def test_an_address_that_asks_for_nothing_is_told_nothing(
    address: dict[str, str], hold: Path
) -> None:
    app = pages(hold, address, "verdict")
    assert app.selectbox(key="guardrail").value is None
    assert "none of these" not in said(app)


def titles(app: AppTest) -> list[str]:
    return [str(one.value).replace("\\", "") for one in app.subheader]


@pytest.mark.parametrize("value", ["latency_p99", "no_such_metric"])
def test_what_the_address_asks_for_stands_directly_below_the_decision(
    value: str, hold: Path
) -> None:
    first, *others = titles(pages(hold, {"guardrail": value}, "verdict"))
    plain = pages(hold, page="verdict")
    as_ever = titles(plain)
    assert len(as_ever) > 3
    assert first == as_ever[-1] == "What is this?"
    assert others == as_ever[:-1]
    plain.selectbox(key="guardrail").set_value("latency_p99").run()
    assert titles(plain) == as_ever


def test_every_metric_and_gate_of_the_verdict_can_be_chosen(every_page: EveryPage) -> None:
    one = verdict(Decision.HOLD)
    options = every_page(Decision.HOLD).selectbox(key="guardrail").options
    assert set(options) == {*one.metrics, *one.gates}


def test_an_address_finds_one_of_the_worst_pairs(hold: Path) -> None:
    sought = tables(Decision.HOLD)["worst_pairs"]["inference_id"][3]
    app = pages(hold, {"pair": sought}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["inference ID"]) == [sought]
    assert app.subheader[0].value == "Most divergent pairs"
    assert "No pair here" not in said(app)
    app.text_input(key="pair").set_value("nobody").run()
    assert "No pair here has nobody." in said(app)
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert found.empty


def test_an_address_chooses_the_worst_pairs_of_one_part(hold: Path) -> None:
    key = "pair by input.tier"
    app = pages(hold, {key: "gold"}, "predictions")
    (found,) = [table.value for table in app.dataframe if "inference ID" in table.value.columns]
    assert list(found["input.tier"]) == ["gold"] * 15
    assert app.selectbox(key=key).options == ["basic", "gold"]
    nowhere = pages(hold, {key: "silver"}, "predictions")
    assert "The address asks for silver, which is none of these." in said(nowhere)
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
