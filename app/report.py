"""The report application: `streamlit run app/report.py -- BUNDLE`.

In: one bundle, read and verified. Out: its pages. Nothing is measured, fetched or written here.
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


def main() -> None:
    """Open the bundle named on the command line and show its pages."""
    st.set_page_config(page_title="shadow-analyzer", layout="wide")
    if len(sys.argv) != 2:  # noqa: PLR2004 - the script and the bundle
        st.text(USAGE)
        return
    path = Path(sys.argv[1])
    try:
        seal = _seal(path)
        pages = _pages(str(path), seal)
    except InputError as error:
        st.title("This bundle cannot be shown", anchor=False)
        st.text(str(error))
        return
    places = [
        st.Page(partial(draw, page), title=page.title, url_path=page.id, default=not number)
        for number, page in enumerate(pages)
    ]
    chosen = st.navigation(places, position="hidden")
    # Streamlit's own menu is a drawer on a phone, which stays open over the page it led to.
    with st.container(key="menu", horizontal=True, gap="xsmall"):
        for place in places:
            st.page_link(place)
    chosen.run()


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


main()
