"""The report application as its tests open it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pytest
from streamlit.components.v2 import manifest_scanner

from analyzer import bundle
from analyzer.model import Decision
from tests.app.opening import APP, pages
from tests.report.frames import tables
from tests.report.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    EveryPage: TypeAlias = Callable[[Decision], AppTest]

# Otherwise each AppTest reads the metadata of every package that is installed.
_scanned = cache(manifest_scanner.scan_component_manifests)


@pytest.fixture(autouse=True)
def _opened_as_streamlit_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder of the script on the path."""
    monkeypatch.syspath_prepend(APP)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", _scanned)


@pytest.fixture(scope="session")
def every_page(tmp_path_factory: pytest.TempPathFactory) -> EveryPage:
    """All pages of a bundle of each decision, drawn once for whoever only looks at them."""

    @cache
    def of(decision: Decision) -> AppTest:
        out = tmp_path_factory.mktemp("every_page") / "out"
        drawn = {} if decision is Decision.ERROR else tables(decision)
        bundle.write(out, verdict(decision), {"summary.md": "summary\n"}, drawn)
        return pages(out)

    return of
