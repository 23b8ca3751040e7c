"""Pages of the report application, drawn without its menu."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest

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


def pages(path: Path, address: Mapping[str, str] | None = None, page: str = "") -> AppTest:
    """The page whose name begins so, of a bundle; all of them without a name."""
    app = AppTest.from_string(PAGE_SCRIPT.format(path=str(path), page=page), default_timeout=60)
    for name, value in (address or {}).items():
        app.query_params[name] = value
    return app.run()
