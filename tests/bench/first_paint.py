"""How long until the decision is on the screen, beside a bare Streamlit page in the same rounds.

    python tests/bench/first_paint.py BUNDLE --rounds 5

Each round starts both servers and a browser in turns, and times from going to the address until the
words are drawn: first of a server that has served nobody (it imports, reads and verifies), then of
the same server again, as a second reader finds it. The table is printed as Markdown on stdout.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

# `python tests/bench/first_paint.py` puts only this folder on the path.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench.measure import folder_bytes, machine, said, versions, warn_if_busy
from tests.bench.results import READING, Ratio, ratio, ratio_table, spread, table
from tests.browser.chromium import CHROMIUM, browsing
from tests.browser.serving import SERVE, served

if TYPE_CHECKING:
    from collections.abc import Sequence

BARE = """import streamlit as st
st.title("bare")
st.text("nothing else")
"""
WANTED_S = 2.0


def painted(script: Path, bundle: Path) -> tuple[float, float]:
    """Seconds until the title is drawn: for the first reader of a server, and for the second."""
    taken = []
    with served(bundle, script) as address:
        for _ in range(2):
            with browsing(1280, "light") as (page, _wrong):
                began = time.perf_counter()
                page.goto(address)
                page.get_by_role("heading", level=1).first.wait_for()
                taken.append(time.perf_counter() - began)
    return taken[0], taken[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times of both."""
    parser = argparse.ArgumentParser(description="Time the report's first paint.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    if not CHROMIUM.exists():
        sys.exit(f"error: no {CHROMIUM}")
    warn_if_busy()
    with tempfile.TemporaryDirectory(prefix="analyzer-bench-") as held:
        bare = Path(held) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        shutil.copytree(SERVE.parent / ".streamlit", bare.parent / ".streamlit")
        rounds = []
        for number in range(given.rounds):
            rounds.append(
                (painted(SERVE, given.bundle.resolve()), painted(bare, Path(held) / "none"))
            )
            said(f"round {number + 1} of {given.rounds}: {rounds[-1]}")
    rows, ratios = [], []
    for at, reader in enumerate(("first reader", "second reader")):
        report, nothing = ([one[which][at] for one in rounds] for which in (0, 1))
        rows.append([reader, spread(report), spread(nothing)])
        ratios += [
            Ratio(f"report, {reader}, s", report, f"<= {WANTED_S:g}"),
            ratio(f"report / bare page, {reader}", report, nothing),
        ]
    sys.stdout.write(
        "\n".join(
            [
                f"Bundle of {folder_bytes(given.bundle):,} bytes. Rounds: {given.rounds}.",
                f"Machine: {machine()}. {versions('shadow-analyzer', 'streamlit', 'polars')}.",
                "",
                table(["first paint", "report, s", "bare page, s"], rows),
                READING,
                "",
                ratio_table(ratios),
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
