"""Labels and pairs that lie in different parts on Spark meet as they do on one machine."""

from __future__ import annotations

import gzip
import random
from itertools import cycle
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analyzer.errors import AccessError
from analyzer.spark import beside, driver
from analyzer.spark.driver import SparkEngine, SparkPlan
from tests.labels.labels_builders import Asked, capture, fates, judged, truth, write
from tests.spark.sessions import first_time_fatal

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

pytestmark = [
    pytest.mark.usefixtures("spark"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
WORDS = ("yes", "no", "maybe")


def alike(source: Path, labels: Path, *policy: str, parts: int = 3) -> dict[str, int]:
    """What became of the labels, once both engines say the same of everything."""
    here = judged(source, labels, *policy)
    there = judged(source, labels, *policy, spark=SparkPlan(partitions=parts))
    assert there.verdict.to_json() == here.verdict.to_json()
    assert there.tables.keys() == here.tables.keys()
    for name, table in here.tables.items():
        assert there.tables[name].schema == table.schema, name
        assert there.tables[name].equals(table), name
    return fates(here)


def muddle(folder: Path, seed: int) -> tuple[Path, Path]:
    """Few IDs for many requests, half of them of events, said in many files and spellings."""
    rng = random.Random(seed)
    requests = [
        Asked(
            rng.choice(WORDS),
            rng.choice(WORDS),
            rng.choice([None, f"id {rng.randrange(60)}", f"event {rng.randrange(300)}"]),
            f"event {rng.randrange(300)}",
            f"{rng.randrange(40)},1",
        )
        for _ in range(400)
    ]
    names = [f"id {n}" for n in range(70)] + [f"event {n}" for n in range(320)]
    said = [(rng.choice(names), rng.choice((*WORDS, "never", ""))) for _ in range(330)]
    labels = folder / "labels"
    for part in range(3):
        write(labels / f"{part}.jsonl", (truth(*one) for one in said[part:100:3]))
    (labels / "4.jsonl.gz").write_bytes(
        gzip.compress("".join(truth(*one) for one in said[100:200]).encode())
    )
    lines = [f"{i},{w}\n" for i, w in said[200:300]]
    write(labels / "3.csv", ["id,label\n", *lines[:50], 'id 1,"yes\n', *lines[50:], "alone\n"])
    write(labels / "5.csv", ["name,value\n", "id 1,yes\n"])
    frame = pl.DataFrame(said[300:], schema=["ID", "label"], orient="row")
    frame.write_parquet(labels / "6.parquet")
    return capture(folder / "captures", requests), labels


ONE, *MORE = range(40)


@pytest.mark.parametrize(
    ("seed", "parts"),
    [
        (ONE, 2),
        *(
            pytest.param(seed, parts, marks=pytest.mark.long)
            for seed in (ONE, *MORE[:11])
            for parts in (1, 3, 16)
        ),
    ],
)
def test_a_muddle_of_ids_is_sorted_out_alike(seed: int, parts: int, tmp_path: Path) -> None:
    found = alike(*muddle(tmp_path, seed), parts=parts)
    assert {
        "label.matched",
        "label.unmatched",
        "label.conflict",
        "label.repeated",
        "label.no-label",
        "label.no-columns",
        "label.invalid-csv",
        "label.paired",
        "label.missing",
        "label.conflicting-pair",
        "label.ambiguous-id",
    } <= found.keys()


def answered(kind: str, rng: random.Random) -> str:
    number = f"{rng.gauss(100, 20):.3f}"
    shares = f"{rng.random():.3f},{rng.random():.3f},{rng.random():.3f}"
    return {
        "label": rng.choice(WORDS),
        "probability": f"{rng.random():.4f}",
        "regression": number,
        "multiclass": shares,
        "vector": shares,
        "rows": "\n".join(rng.choice(WORDS) for _ in range(3)),
        "json": f'{{"a": {number}}}',
    }[kind]


def right(kind: str, rng: random.Random) -> str:
    return {
        "probability": rng.choice(("0", "1", "perhaps")),
        "multiclass": rng.choice("012"),
        "json": "yes",
    }.get(kind) or answered(kind, rng)


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("probability", 2),
        *(
            pytest.param(kind, parts, marks=pytest.mark.long)
            for kind in ("label", "probability", "regression", "multiclass", "vector", "rows")
            for parts in (1, 3, 16)
        ),
        pytest.param("json", 3, marks=pytest.mark.long),
    ],
)
def test_every_kind_of_output_is_judged_by_its_labels_alike(
    kind: str, parts: int, tmp_path: Path
) -> None:
    rng = random.Random(kind)
    requests = [
        Asked(answered(kind, rng), answered(kind, rng), f"r{k}", payload=f"{k % 900},2")
        for k in range(1_500)
    ]
    lines = [truth(f"r{k}", right(kind, rng)) for k in range(1_400)]
    for part in range(4):
        write(tmp_path / f"labels/{part}.jsonl", lines[part::4])
    policy = [f"predictions.kind={kind}"] if kind == "multiclass" else []
    source = capture(tmp_path / "captures", requests)
    assert alike(source, tmp_path / "labels", *policy, parts=parts)["label.paired"] == 1_400


@pytest.mark.long
def test_an_id_labelled_differently_in_two_files_counts_for_neither(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(30)])
    write(tmp_path / "labels/a.jsonl", [truth(f"r{k}", "yes") for k in range(30)])
    write(tmp_path / "labels/b.csv", ["id,label\n", *(f"r{k},no\n" for k in range(0, 30, 3))])
    write(tmp_path / "labels/c.csv", ["id,label\n", *(f"r{k},yes\n" for k in range(1, 30, 3))])
    found = alike(source, tmp_path / "labels")
    assert (found["label.conflict"], found["label.repeated"]) == (10, 10)
    assert found["label.conflicting-pair"] == 10


@pytest.mark.long
def test_an_id_of_different_inputs_in_different_parts_is_not_guessed_at(tmp_path: Path) -> None:
    """Pairs lie by their input when they are judged: there each would look like the only one."""
    requests = [
        Asked("yes", "no", f"r{k // 2}", payload=f"{k if k % 4 < 2 else k // 2},1")
        for k in range(80)
    ]
    labels = write(tmp_path / "labels.jsonl", [truth(f"r{k}", "yes") for k in range(40)])
    found = alike(capture(tmp_path / "captures", requests), labels, parts=16)
    assert (found["label.ambiguous-id"], found["label.paired"]) == (40, 40)


@pytest.mark.long
def test_labels_of_events_go_by_the_one_copy_that_is_kept(tmp_path: Path) -> None:
    """Events seen twice, some of them under another inference ID, which another label names."""
    requests = [Asked("yes", "yes", f"r{k}", f"event {k}", f"{k},1") for k in range(40)]
    again = [Asked("no", "no", f"r{k + 40 * (k % 2)}", f"event {k}", f"{k},1") for k in range(40)]
    lines = [truth(f"event {k}", "yes") for k in range(40)]
    lines += [truth(f"r{k}", "no") for k in range(5, 60, 5)]
    source = capture(tmp_path / "captures", [*requests, *again])
    found = alike(source, write(tmp_path / "labels.jsonl", lines))
    assert {"label.paired", "label.unmatched"} <= found.keys()


@pytest.mark.long
def test_labels_that_name_no_pair_are_counted_alike(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(20)])
    labels = write(tmp_path / "labels.jsonl", [truth(f"other {k}", "yes") for k in range(20)])
    assert alike(source, labels) == {"label.unmatched": 20, "label.missing": 20}


@pytest.mark.long
def test_labels_without_a_usable_line_are_counted_alike(tmp_path: Path) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(20)])
    labels = write(tmp_path / "labels.jsonl", ["nothing\n"] * 5)
    assert alike(source, labels) == {"label.invalid-json": 5, "label.missing": 20}


@pytest.mark.long
def test_tasks_killed_while_labels_are_read_and_joined_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"
    steps = {"load_labels", "join_labels"}
    for name in steps:
        monkeypatch.setattr(beside, name, first_time_fatal(getattr(beside, name), killed / name))
    alike(*muddle(tmp_path, ONE))
    assert {path.name for path in killed.iterdir()} == steps


def test_a_label_file_that_reads_differently_when_it_is_read_again_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a worker is lost; here nothing is kept, and every step taken again for each job."""
    source = capture(tmp_path / "captures", [Asked("yes", "non", f"r{k}") for k in range(20)])
    labels = write(tmp_path / "labels.csv", ["id,label\n", "r1,yes\n"])
    words = cycle(("non", "yes"))
    answers = SparkEngine.answers

    def answered(engine: SparkEngine, frame: DataFrame) -> object:
        found = answers(engine, frame)
        write(labels, ["id,label\n", f"r1,{next(words)}\n"])
        return found

    monkeypatch.setattr(SparkEngine, "kept", lambda _engine, frame: frame)
    monkeypatch.setattr(SparkEngine, "answers", answered)
    with pytest.raises(AccessError, match="changed after it was listed"):
        judged(source, labels, spark=SparkPlan(partitions=2))


@pytest.mark.long
def test_damaged_label_files_are_noted_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where so many parts answer that tasks add first, so that nothing comes in order."""
    monkeypatch.setattr(driver, "_ANSWERS_AT_ONCE", 2)
    source = capture(tmp_path / "captures", [Asked("yes", "no", f"r{k}") for k in range(50)])
    for part, name in enumerate(("d.jsonl.gz", "a.csv.gz", "b.jsonl.gz", "c.csv.gz")):
        lines = ["id,label\n"] if "csv" in name else []
        lines += [
            f"r{k},yes\n" if "csv" in name else truth(f"r{k}", "yes") for k in range(part, 50, 4)
        ]
        whole = gzip.compress("".join(lines).encode())
        (tmp_path / "labels").mkdir(exist_ok=True)
        (tmp_path / "labels" / name).write_bytes(whole[:-12])
    alike(source, tmp_path / "labels", parts=5)
    done = judged(source, tmp_path / "labels", spark=SparkPlan(partitions=5))
    damaged = [note.text for note in done.verdict.notes if note.code == "object-corrupt-gzip"]
    assert [text.split(":")[1].strip() for text in damaged] == [
        "b.jsonl.gz",
        "d.jsonl.gz",
        "a.csv.gz",
        "c.csv.gz",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("b.csv", "a.jsonl"),
        pytest.param(("b.jsonl",), marks=pytest.mark.long),
        pytest.param(("b.parquet", "a.csv"), marks=pytest.mark.long),
    ],
)
def test_a_label_file_that_cannot_be_opened_stops_both_with_the_same_words(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    source = capture(tmp_path / "captures", [Asked("yes", "no", "r")])
    labels = tmp_path / "labels"
    labels.mkdir()
    for name in names:
        (labels / name).symlink_to(labels / name)  # a link to itself
    said = []
    for plan in (None, SparkPlan(partitions=2)):
        with pytest.raises(AccessError, match=names[-1]) as raised:
            judged(source, labels, spark=plan)
        said.append((str(raised.value), raised.value.code, raised.value.exit_code))
    assert said[0] == said[1]
