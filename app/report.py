"""The report application: `streamlit run app/report.py -- BUNDLE`.

In: one bundle, or a folder of them, read and verified. Out: its pages. Nothing is measured, fetched
or written here.
"""

from __future__ import annotations

import hashlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from analyzer import bundle
from analyzer.errors import InputError
from analyzer.out_folder import MANIFEST
from analyzer.report.content import PAGES
from analyzer.report.content.runs_page import runs_page

# Streamlit puts this script's folder on sys.path, wherever it is installed (app/ in a checkout,
# analyzer/_app in a wheel); a package name would hold in only one of the two.
if TYPE_CHECKING:
    import polars as pl

    from analyzer.model import Verdict
    from analyzer.report.content import Page
    from app.blocks import draw
else:
    from blocks import draw

USAGE = "Name the bundle to show: analyzer report BUNDLE"
_EARLIER, _RUN = "before", "bundle"


def main() -> None:
    """Open what was named on the command line and show its pages."""
    st.set_page_config(page_title="shadow-analyzer", layout="wide")
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the bundle
        st.text(USAGE)
        return
    paths = {path.name: path for path in bundle.found(Path(sys.argv[1]))}
    name = next(iter(paths)) if len(paths) == 1 else _chosen(list(paths))
    try:
        pages = _pages(str(paths[name]), _seal(paths[name]))
    except InputError as error:
        if len(paths) == 1:
            st.title("This bundle cannot be shown", anchor=False)
            st.text(str(error))
            return
        pages = ()
    places = [
        st.Page(partial(draw, page), title=page.title, url_path=page.id, default=not number)
        for number, page in enumerate(pages)
    ]
    if len(paths) > 1:
        runs = partial(_draw_runs, paths, name)
        places.append(st.Page(runs, title="All runs", url_path="runs", default=not places))
    chosen = st.navigation(places, position="hidden")
    # Streamlit's own menu is a drawer on a phone, which stays open over the page it led to.
    with st.container(key="menu", horizontal=True, gap="xsmall"):
        for place in places:
            st.page_link(place)
    chosen.run()


def _chosen(names: list[str]) -> str:
    """The run to show; the address names it."""
    return st.selectbox("Run", names, key=_RUN, bind="query-params", required=True)


def _draw_runs(paths: dict[str, Path], name: str) -> None:
    """All runs, and how the one that is shown differs from another."""
    runs: dict[str, Verdict | str] = {}
    for each, path in paths.items():
        try:
            runs[each] = _verdict(str(path), _seal(path))
        except InputError as error:
            runs[each] = str(error)
    others = [each for each, one in runs.items() if each != name and not isinstance(one, str)]
    readable = others if not isinstance(runs[name], str) else []
    earlier = st.selectbox(
        "Compare the run with", readable, index=None, key=_EARLIER, bind="query-params"
    )
    draw(runs_page(runs, (earlier, name) if earlier else None))


def _seal(path: Path) -> str:
    """Digest of the manifest; keys the cache, so a new run is never shown as the old one."""
    try:
        return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return ""


@st.cache_resource(max_entries=4, show_spinner=False)
def _pages(path: str, seal: str) -> tuple[Page, ...]:
    """Every page of a verified bundle; the seal takes part in the key only."""
    del seal
    opened = bundle.read(Path(path))
    verdict: Verdict = opened.verdict
    tables: dict[str, pl.DataFrame] = opened.tables
    return tuple(build(verdict, tables) for build in PAGES)


@st.cache_resource(max_entries=200, show_spinner=False)
def _verdict(path: str, seal: str) -> Verdict:
    """The verdict of a verified bundle."""
    del seal
    return bundle.read(Path(path)).verdict


main()
