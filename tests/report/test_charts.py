"""Drawings: valid specifications, bounded size, gaps kept, data only as values."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from itertools import pairwise

import polars as pl
import pytest

from analyzer.model import Decision, Outcome, Slice, SliceBin, SlicedShare
from analyzer.report import charts
from analyzer.report.content import (
    PAGES,
    errors_page,
    latency_page,
    predictions_page,
    series,
    verdict_page,
)
from analyzer.report.content.page import Chart, Notes, Table
from analyzer.report.content.score_charts import flips
from analyzer.report.content.slices import slice_blocks
from analyzer.verdict import part_name
from tests.report.frames import tables
from tests.report.verdicts import START, hostile, verdict


def drawn(decision: Decision) -> list[Chart]:
    frames = tables(decision)
    pages = [build(verdict(decision), frames) for build in PAGES]
    return [block for page in pages for block in page.blocks if isinstance(block, Chart)]


@cache
def bodies(decision: Decision) -> list[str]:
    """The specification of each of them, valid: altair looks as it writes it."""
    return [json.dumps(charts.draw(chart).to_dict()) for chart in drawn(decision)]


@pytest.mark.parametrize(
    "decision", [Decision.HOLD, pytest.param(Decision.REJECT, marks=pytest.mark.long)]
)
def test_every_chart_is_valid_small_and_described(decision: Decision) -> None:
    found = drawn(decision)
    assert {chart.kind for chart in found} | {"parts"} == set(charts.KINDS)
    for chart in found:
        assert chart.frame.height <= series.MOST_POINTS
        assert len(chart.alt) > 20
    assert all('"$schema"' in text for text in bodies(decision))


def test_no_chart_links_or_loads_anything() -> None:
    for chart, text in zip(drawn(Decision.HOLD), bodies(Decision.HOLD), strict=True):
        body = json.loads(text)
        body.pop("$schema")
        for key in ('"href"', '"url"', '"image"', "http"):
            assert key not in json.dumps(body), chart.title


def test_data_stays_out_of_titles_and_expressions() -> None:
    word = "datum.evil"
    page = verdict_page(hostile(word))
    for block in page.blocks:
        if isinstance(block, Chart):
            body = charts.draw(block).to_dict()
            body.pop("datasets")
            assert word not in json.dumps(body)


def test_gap_in_the_minutes_stays_a_gap() -> None:
    frame = series.overlay(tables(Decision.HOLD)["minutes"], "latency_ms")
    silent = frame.filter(
        (pl.col("role") == "shadow")
        & pl.col("timestamp").is_between(
            START + timedelta(hours=30, minutes=10), START + timedelta(hours=32, minutes=50)
        )
    )
    assert silent.height > 10
    assert silent["value"].null_count() == silent.height


def test_absent_minutes_are_a_gap_too() -> None:
    minutes = tables(Decision.HOLD)["minutes"]
    hole = minutes.filter(~pl.col("timestamp").is_between(START, START + timedelta(hours=9)))
    both = pl.concat([minutes.head(10), hole])
    frame = series.overlay(both, "latency_ms").filter(pl.col("role") == "production")
    assert frame["value"].null_count() > 50


def test_thinned_mean_weighs_minutes_by_their_invocations() -> None:
    minutes = pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=n) for n in range(4000)],
            "production_invocations": [1.0, 3.0] * 2000,
            "production_latency_ms": [10.0, 20.0] * 2000,
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    frame = series.overlay(minutes, "latency_ms")
    assert frame["value"].mean() == pytest.approx(17.5)


def test_series_that_was_not_exported_is_not_drawn_as_zero() -> None:
    assert series.error_share(tables(Decision.HOLD)["minutes"], "model_errors").is_empty()


def test_long_series_are_thinned_for_both_variants_alike() -> None:
    long = pl.DataFrame({"n": range(5000), "production": range(5000), "shadow": range(5000)})
    frame = series.by_role(long, {role: role for role in series.ROLES}, ("n",))
    assert frame.height <= series.MOST_POINTS
    counts = frame["role"].value_counts()["count"].to_list()
    assert counts[0] == counts[1]


def test_percentiles_are_drawn_for_the_period_that_was_judged() -> None:
    frames = tables(Decision.HOLD)
    shorter = frames["percentiles"].with_columns(pl.lit(60, pl.Int64).alias("period_s"))
    both = {**frames, "percentiles": pl.concat([frames["percentiles"], shorter])}
    blocks = latency_page(verdict(Decision.HOLD), both).blocks
    titles = [block.title for block in blocks if isinstance(block, Chart)]
    assert "p99 per minute" in titles
    assert "p99 per hour" not in titles


def test_pairs_that_keep_the_contract_are_not_listed_as_changes() -> None:
    frames = {"contract_changes": pl.DataFrame({"code": ["same"], "pairs": [24_051]})}
    blocks = predictions_page(verdict(Decision.HOLD), frames).blocks
    assert any(isinstance(block, Notes) and block.title == "Contract changes" for block in blocks)


def test_charts_of_what_fails_come_first_on_the_latency_page() -> None:
    blocks = latency_page(verdict(Decision.REJECT), tables(Decision.REJECT)).blocks
    titles = [block.title for block in blocks if isinstance(block, Chart)]
    mean = titles.index("Mean model latency per 10 minutes")
    assert "p99" in titles[0]
    assert titles.index("p99 per hour") < mean < titles.index("Overhead latency per 10 minutes")


def test_thinned_courses_name_what_one_point_is() -> None:
    frames = tables(Decision.HOLD)
    short = {**frames, "minutes": frames["minutes"].head(450)}
    for given, each in ((frames, "10 minutes"), (short, "minute")):
        charted = {
            block.title: block
            for build in (latency_page, errors_page)
            for block in build(verdict(Decision.HOLD), given).blocks
            if isinstance(block, Chart)
        }
        assert f"Mean model latency per {each}" in charted
        assert f"one bar per {each}:" in charted["5XX errors per invocation"].caption
        averaged = charted["Invocations per minute"].caption.startswith("Each point is the mean of")
        assert averaged is (each != "minute")


def test_points_are_never_shorter_than_the_period_that_was_exported() -> None:
    exported = tables(Decision.HOLD)["instances"].head(400)
    frame = series.means(exported)
    assert series.point_minutes(exported) == 5
    assert frame["value"].null_count() == 0


def test_percentiles_are_picked_from_and_say_so() -> None:
    frames = tables(Decision.HOLD)["percentiles"].filter(pl.col("stat") == "p99")
    minutes = pl.concat(
        frames.with_columns(
            pl.col("timestamp") + timedelta(minutes=minute), pl.lit(60, pl.Int64).alias("period_s")
        )
        for minute in range(60)
    )
    blocks = latency_page(verdict(Decision.HOLD), {"percentiles": minutes}).blocks
    chart = next(block for block in blocks if isinstance(block, Chart))
    assert chart.title == "p99 per minute"
    assert "Drawn: one minute in 9." in chart.caption
    assert set(chart.frame["value"]) <= set(minutes["production_ms"]) | set(minutes["shadow_ms"])


def test_failing_class_of_errors_is_drawn_first_and_names_its_axis() -> None:
    one = verdict(Decision.REJECT)
    failed = one.metrics["error_4xx_rate"].model_copy(update={"outcome": Outcome.FAIL})
    metrics = one.metrics | {"error_4xx_rate": failed}
    blocks = errors_page(
        one.model_copy(update={"metrics": metrics}), tables(Decision.REJECT)
    ).blocks
    first = next(block for block in blocks if isinstance(block, Chart))
    assert first.title == "4XX errors per invocation"
    body = charts.draw(first).to_dict()
    assert body["height"] >= 300
    bars = next(layer for layer in body["layer"] if layer["mark"]["type"] == "bar")
    assert bars["encoding"]["y"]["title"] == "share of invocations"
    assert bars["encoding"]["y"]["axis"]["labelOverlap"] is False


def test_flips_are_coloured_by_their_share_of_the_row() -> None:
    frame = pl.DataFrame(
        {
            "production_label": ["no", "no", "yes", "yes"],
            "shadow_label": ["no", "yes", "no", "yes"],
            "predictions": [4605, 127, 430, 297],
        }
    )
    chart = charted_predictions(flips=frame)
    shares = dict(zip(chart.frame["text"], chart.frame["value"], strict=True))
    assert shares["430"] == pytest.approx(430 / 727)
    assert shares["127"] == pytest.approx(127 / 4732)
    assert chart.frame.filter("flip")["text"].sort().to_list() == ["127", "430"]
    cells = charts.draw(chart).to_dict()["layer"][0]["encoding"]
    assert cells["opacity"]["scale"]["domain"] == [0, 1]
    assert cells["color"]["field"] == "flip"


def test_shares_are_percentages_and_small_edges_read_alike() -> None:
    distance = charted_predictions(flip_distance=tables(Decision.HOLD)["flip_distance"])
    assert charts.draw(distance).to_dict()["encoding"]["y"]["axis"]["format"] == ".0%"
    edges = [0.01, 0.02, 1.0]
    frame = pl.DataFrame(
        {"lower": [0.0, *edges[:-1]], "upper": edges, "predictions": [10] * 3, "flips": [3] * 3}
    )
    labels = charted_predictions(flip_distance=frame).frame["label"].to_list()
    assert labels == ["0.01", "0.02", "1"]


def test_the_share_within_each_distance_counts_equal_answers_and_marks_the_tolerance() -> None:
    counts = {"measured": 10, "shifted": 4, "production_mean": 0.5, "atol": 0.001, "rtol": 0.02}
    frame = pl.DataFrame(
        {"lower": [0.0, 0.01, 0.1], "upper": [0.0, 0.1, 1.0], "predictions": [5, 3, 2]}
    )
    chart = charted_predictions(
        difference_histogram=frame, prediction_counts=pl.DataFrame([counts])
    )
    assert chart.title == "40.0 % of predictions differ by more than the tolerance"
    assert chart.frame.rows() == [(0.01, 0.5), (0.1, 0.8), (1.0, 1.0)]
    (line,) = chart.lines
    assert line.at == pytest.approx(0.011)
    assert line.text == "tolerance 0.011"
    assert "50.0 % of the predictions are exactly equal" in chart.caption
    assert "0.001 and 0.02 of production's score" in chart.caption


def test_scores_that_are_all_equal_are_said_and_not_drawn() -> None:
    frames = {
        "difference_histogram": pl.DataFrame({"lower": [0.0], "upper": [0.0], "predictions": [9]}),
        "score_agreement": tables(Decision.HOLD)["score_agreement"],
        "prediction_counts": tables(Decision.HOLD)["prediction_counts"].with_columns(
            bias=pl.lit(0.0), difference_sd=pl.lit(0.0)
        ),
    }
    blocks = predictions_page(verdict(Decision.HOLD), frames).blocks
    assert not any(isinstance(block, Chart) for block in blocks)
    said = [block.items[0].text for block in blocks if isinstance(block, Notes)]
    assert "All 9 predictions are exactly equal." in said
    assert "Every score of the shadow is production's." in said


def test_differences_along_the_score_have_their_mean_and_limits_marked() -> None:
    frames = tables(Decision.HOLD)
    names = ("score_agreement", "prediction_counts")
    chart = charted_predictions(**{name: frames[name] for name in names})
    counts = frames["prediction_counts"].row(0, named=True)
    middle, lower, upper = (line.at for line in chart.lines)
    assert middle == counts["bias"]
    assert upper - middle == pytest.approx(1.96 * counts["difference_sd"], rel=1e-3)
    assert middle - lower == pytest.approx(upper - middle)
    assert ("higher" in chart.title) is (middle > 0)


def test_the_largest_change_of_a_percentile_is_the_title() -> None:
    frame = pl.DataFrame({"share": [0.1, 0.5, 0.9], "shift": [0.01, -0.03, 0.02]})
    chart = charted_predictions(score_quantiles=frame)
    assert chart.title == "Scores by percentile: the largest change is -0.03, at p50"


def charted_predictions(**frames: pl.DataFrame) -> Chart:
    blocks = predictions_page(verdict(Decision.HOLD), frames).blocks
    return next(block for block in blocks if isinstance(block, Chart))


def test_worst_pairs_say_how_many_they_are_and_in_which_time() -> None:
    few = tables(Decision.HOLD)["worst_pairs"]
    many = pl.concat([few] * 6).with_columns(pl.int_range(1, pl.len() + 1).alias("rank"))
    for frame, said in ((few, "The 20 pairs that differ most."), (many, "The 100 pairs that")):
        blocks = predictions_page(verdict(Decision.HOLD), {"worst_pairs": frame}).blocks
        table = next(b for b in blocks if isinstance(b, Table) and b.title.startswith("Most"))
        assert table.caption.startswith(said)
        assert "scroll" not in table.caption  # one of two windows shows all rows
        assert "captured at (UTC)" in [column.title for column in table.columns]


def test_what_the_worst_pairs_have_in_common_is_said_with_its_share_of_all() -> None:
    blocks = predictions_page(verdict(Decision.HOLD), tables(Decision.HOLD)).blocks
    (notes,) = (b for b in blocks if isinstance(b, Notes) and "cluster" in b.title)
    (item,) = notes.items
    assert item.label == "input.tier: gold"
    assert (
        item.text == "15 of the 20 most divergent pairs, and 25.0 % of all pairs: 3 times as dense."
    )
    frames = {**tables(Decision.HOLD)}
    frames["worst_clusters"] = frames["worst_clusters"].clear()
    blocks = predictions_page(verdict(Decision.HOLD), frames).blocks
    assert not any(isinstance(b, Notes) and "cluster" in b.title for b in blocks)


def test_pair_is_named_by_its_event_where_the_table_has_it() -> None:
    frame = tables(Decision.HOLD)["worst_pairs"].with_columns(
        pl.format("event-{}", "pair_id").alias("pair_id"), pl.lit(None).alias("inference_id")
    )
    blocks = predictions_page(verdict(Decision.HOLD), {"worst_pairs": frame}).blocks
    table = next(b for b in blocks if isinstance(b, Table) and b.title.startswith("Most"))
    row = dict(zip((column.title for column in table.columns), table.rows[0], strict=True))
    assert row["event ID in production"].startswith("event-")
    assert row["inference ID"] == "-"


def test_axis_of_counts_has_no_zero_thousands() -> None:
    funnel = next(chart for chart in drawn(Decision.HOLD) if chart.kind == "funnel")
    axis = charts.draw(funnel).to_dict()["layer"][0]["encoding"]["x"]["axis"]
    assert axis["labelExpr"] == "format(datum.value, '~s')"
    assert "format" not in axis


@pytest.mark.parametrize(
    ("minutes", "said"), [(1, "minute"), (6, "6 minutes"), (60, "hour"), (120, "2 hours")]
)
def test_length_of_a_point_reads_as_a_person_says_it(minutes: int, said: str) -> None:
    assert series.length(minutes) == said


def test_parts_and_labels_with_a_long_beginning_in_common_are_drawn_apart() -> None:
    names = [f"a-customer-segment-with-a-long-name-{k}" for k in range(3)]
    share = SlicedShare(
        events=1,
        outcomes=100,
        effective=100.0,
        estimate=0.01,
        lower=0.0,
        upper=0.05,
        allowed=0.05,
        p_value=None,
        outcome=Outcome.UNRESOLVED,
        discovery=False,
    )
    bins = [
        SliceBin(kind="value", value=name, pairs=100, direction="none", shares={"flip_rate": share})
        for name in names
    ]
    held = Slice(by="categories", bins=tuple(bins), direction="none", simpson=False)
    chart = slice_blocks(verdict(Decision.HOLD).model_copy(update={"slices": {"input.1": held}}))[0]
    assert isinstance(chart, Chart)
    assert chart.frame["part"].to_list() == names
    counts = {"production_label": names, "shadow_label": names[::-1], "predictions": [3, 2, 1]}
    assert sorted(flips(pl.DataFrame(counts), {}).frame["production_label"]) == names


def test_ranges_of_large_whole_numbers_have_names_of_their_own() -> None:
    """Days as seconds since 1970, in the nine digits that a verdict has."""
    days = [1795132800.0 + 86_400 * k for k in range(6)]
    bins = [SliceBin(kind="range", lower=low, upper=high, pairs=1) for low, high in pairwise(days)]
    assert part_name(bins[0]) == "> 1795132800 .. 1795219200"
    assert len(set(map(part_name, bins))) == 5
