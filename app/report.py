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
from analyzer.out_folder import MANIFEST, VERDICT
from analyzer.report.content import PAGES
from analyzer.report.content.runs_page import runs_page, window_end

# Streamlit puts this script's folder on sys.path, wherever it is installed (app/ in a checkout,
# analyzer/_app in a wheel); a package name would hold in only one of the two.
if TYPE_CHECKING:
    import polars as pl
    from streamlit.navigation.page import StreamlitPage

    from analyzer.model import Verdict
    from analyzer.report.content import Page
    from app.address import named, opened_with, parameters, selected
    from app.blocks import draw, escaped
else:
    from address import named, opened_with, parameters, selected
    from blocks import draw, escaped

USAGE = "Name the bundle to show: analyzer report BUNDLE"
_EARLIER, _RUN = "before", "bundle"


def main() -> None:
    """Open what was named on the command line and show its pages."""
    st.set_page_config(page_title="shadow-analyzer", layout="wide")
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the bundle
        st.text(USAGE)
        return
    paths = _latest_first(bundle.found(Path(sys.argv[1])))
    asked = opened_with().get(_RUN, "")
    gone = asked if asked not in paths else ""
    several = len(paths) > 1 or bool(gone)
    name = _chosen(list(paths), gone=bool(gone)) if several else next(iter(paths))
    try:
        pages = () if name is None else _pages(str(paths[name]), _seal(paths[name]))
    except InputError as error:
        if not several:
            st.title("This bundle cannot be shown", anchor=False)
            st.text(str(error))
            return
        pages = ()
    places = [
        st.Page(partial(draw, page), title=page.title, url_path=page.id, default=not number)
        for number, page in enumerate(pages)
    ]
    if several:
        runs = partial(_draw_runs, paths, name, gone)
        places.append(st.Page(runs, title="All runs", url_path="runs", default=not places))
    chosen = st.navigation(places, position="hidden")
    # Streamlit's own menu is a drawer on a phone, which stays open over the page it led to.
    with st.container(key="menu", horizontal=True, gap="xsmall"):
        for place in places:
            st.page_link(place)
    _elsewhere(pages, places, chosen)
    chosen.run()


def _elsewhere(pages: tuple[Page, ...], places: list[StreamlitPage], chosen: StreamlitPage) -> None:
    """Links to the pages that have what the address asks for and this one has not."""
    for page, place in zip(pages, places, strict=False):
        names = {name for block in page.blocks for name in parameters(block)}
        asked = {name: st.query_params[name] for name in names & st.query_params.keys()}
        if asked and place != chosen:
            said = ", ".join(f"{name} {named(value)}" for name, value in asked.items())
            label = f"The address asks for {said}: see {page.title}"
            st.page_link(place, label=escaped(label), query_params=asked)


def _latest_first(found: tuple[Path, ...]) -> dict[str, Path]:
    """The bundles by name, in the order of the list of all: whoever names none sees the latest."""
    if len(found) > 1:
        found = tuple(
            sorted(found, key=lambda path: (_end(str(path), _seal(path)), path.name), reverse=True)
        )
    return {path.name: path for path in found}


def _chosen(names: list[str], *, gone: bool) -> str | None:
    """The run to show; the address names it, and where it names none of them no other is shown.

    The latest is a choice made for the reader and no default of the box: that would be left out of
    the address, which would show another run as soon as there is a later one.
    """
    if not gone and _RUN not in st.session_state and _RUN not in st.query_params:
        st.session_state[_RUN] = st.query_params[_RUN] = names[0]
    return st.selectbox("Run", names, index=None, key=_RUN, bind="query-params", required=True)


def _draw_runs(paths: dict[str, Path], name: str | None, gone: str) -> None:
    """All runs, and how the one that is shown differs from another."""
    runs: dict[str, Verdict | str] = {}
    for each, path in paths.items():
        try:
            runs[each] = _verdict(str(path), _seal(path))
        except InputError as error:
            runs[each] = str(error)
    if name is None:
        st.title("No such run", anchor=False)
        st.text(f"There is no run named {named(gone)} here; choose one of these.")
        draw(runs_page(runs, None))
        return
    others = [each for each, one in runs.items() if each != name and not isinstance(one, str)]
    readable = others if not isinstance(runs[name], str) else []
    earlier = selected("Compare the run with", readable, _EARLIER)
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


@st.cache_resource(max_entries=10_000, show_spinner=False)
def _end(path: str, seal: str) -> str:
    """When the window of a run ends that nobody has verified yet: enough to stand in a list."""
    del seal
    try:
        return window_end(bundle.read_verdict(Path(path) / VERDICT))
    except InputError:
        return ""


@st.cache_resource(max_entries=200, show_spinner=False)
def _verdict(path: str, seal: str) -> Verdict:
    """The verdict of a verified bundle."""
    del seal
    return bundle.read(Path(path)).verdict


main()
