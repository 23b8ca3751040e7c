"""A report that an earlier run drew is the same one, or is drawn again."""

from __future__ import annotations

import gzip
import os
import stat
from pathlib import Path

import polars as pl
import pytest

from analyzer.cli import run as command
from analyzer.machine import user_cache
from analyzer.model import Decision
from analyzer.out_folder import REPORT
from analyzer.report import kept
from analyzer.report.html.converter import Converter
from analyzer.report.kept import KeptReport
from tests.report.frames import tables
from tests.report.verdicts import verdict


def reports(home: Path) -> list[Path]:
    return sorted(home.glob("shadow-analyzer/reports/*"))


def kept_report(decision: Decision = Decision.HOLD) -> KeptReport:
    return KeptReport(verdict(decision), tables(decision))


def test_a_report_is_found_again_by_what_it_shows(cache_home: Path) -> None:
    assert kept_report().text() is None
    kept_report().keep("<p>a page\r\n</p>\n")
    assert kept_report().text() == "<p>a page\r\n</p>\n"
    assert kept_report(Decision.PROMOTE).text() is None
    (path,) = reports(cache_home)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_table_is_another_where_a_value_is_and_the_same_however_it_lies() -> None:
    shown = verdict(Decision.HOLD)
    whole = pl.DataFrame({"at": [1, 2, 3], "of": [0.5, None, 0.25]})
    KeptReport(shown, {"one": whole}).keep("page")
    parts = pl.concat([whole[:1], whole[1:]], rechunk=False)
    assert KeptReport(shown, {"one": parts}).text() == "page"
    assert KeptReport(shown, {"two": whole}).text() is None
    assert KeptReport(shown, {"one": whole.with_columns(at=pl.lit(7))}).text() is None
    assert KeptReport(shown, {"one": whole.cast({"at": pl.Int32})}).text() is None


def test_what_another_version_drew_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_report().keep("page")
    monkeypatch.setattr(kept, "version", lambda name: f"another {name}")
    assert kept_report().text() is None
    monkeypatch.undo()
    monkeypatch.setattr(user_cache, "PACKAGE", Path(__file__).parent)  # other code
    assert kept_report().text() is None


def test_a_damaged_report_is_drawn_again(cache_home: Path) -> None:
    kept_report().keep("page")
    (path,) = reports(cache_home)
    path.write_bytes(path.read_bytes().replace(b"page", b"pane"))
    assert kept_report().text() is None


def test_only_the_last_used_are_kept(cache_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MOST", 2)
    shown = [KeptReport(verdict(Decision.HOLD), {str(n): pl.DataFrame()}) for n in range(3)]
    for age, one in enumerate(shown[:2]):
        one.keep("page")
        for path in reports(cache_home):
            os.utime(path, ns=(10**18 + age, 10**18 + age))
    assert shown[0].text() == "page"  # used since
    shown[2].keep("page")
    assert [one.text() for one in shown] == ["page", None, "page"]


def test_a_cache_that_cannot_be_written_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shadow-analyzer").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept_report().keep("page")
    assert kept_report().text() is None
    monkeypatch.setattr(kept, "cache_folder", lambda: None)
    kept_report().keep("page")
    assert kept_report().text() is None


class Drawings:
    """Counts how often a report is made, and whether its charts were drawn."""

    def __init__(self, *, drew: bool) -> None:
        self.made, self.drew = 0, drew

    def document(self, _verdict: object, _tables: object, converter: Converter) -> str:
        self.made += 1
        converter.drew = self.drew
        return f"page {self.made}"


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Drawings:
    made = Drawings(drew=getattr(request, "param", True))
    monkeypatch.setattr(command, "document", made.document)
    monkeypatch.setattr(Converter, "start", lambda _: None)
    return made


@pytest.fixture
def cloudwatch(tmp_path: Path) -> Path:
    """A few hundred points of a sample scenario."""
    sample = Path(__file__).parents[2] / "sample_data" / "thin_sample" / "cloudwatch"
    rows = gzip.decompress((sample / "minutes.jsonl.gz").read_bytes()).splitlines(keepends=True)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(rows[::20]))
    return path


def run_report(cloudwatch: Path, out: Path, *, use_cache: bool = True) -> str:
    from analyzer.analysis import Request

    request = Request(endpoint="churn-endpoint", cloudwatch=(str(cloudwatch),), use_cache=use_cache)
    command.analyse(request, out, quiet=True)
    return (out / REPORT).read_text(encoding="utf-8")


def test_a_second_run_draws_nothing(tmp_path: Path, cloudwatch: Path, drawings: Drawings) -> None:
    assert [run_report(cloudwatch, tmp_path / name) for name in ("one", "two")] == [
        "page 1",
        "page 1",
    ]
    assert run_report(cloudwatch, tmp_path / "three", use_cache=False) == "page 2"
    assert drawings.made == 2


@pytest.mark.parametrize("drawings", [False], indirect=True)
def test_a_report_without_its_drawings_is_not_kept(
    tmp_path: Path, cloudwatch: Path, drawings: Drawings
) -> None:
    assert [run_report(cloudwatch, tmp_path / name) for name in ("one", "two")] == [
        "page 1",
        "page 2",
    ]
    assert drawings.made == 2
