"""What several commands do with what they found: print it, and choose the exit code."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli.flags import FailOn, Format
from analyzer.console.process import started_as
from analyzer.errors import AnalyzerError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from analyzer.model import Verdict
    from analyzer.report.content.page import Page
    from analyzer.report.html.converter import Converter


def show(verdict: Verdict, out: Path, form: Format) -> None:
    """Print a verdict in the format that was asked for; `out` is where its bundle lies."""
    from analyzer.report import markdown
    from analyzer.report.content import verdict_page
    from analyzer.report.plain_text import printed_json

    if form is Format.JSON:
        print(printed_json(verdict.to_json()), end="")
    elif form is Format.MARKDOWN:
        print(markdown.render(verdict_page(verdict)), end="")
    else:
        print_page(verdict_page(verdict, bundle=shlex.quote(str(out)), tool=started_as()))


def document(
    verdict: Verdict, tables: Mapping[str, pl.DataFrame], converter: Converter | None = None
) -> str:
    """The whole report as one HTML file, its charts drawn by the converter or one of its own."""
    from analyzer.report import html
    from analyzer.report.content import PAGES

    title = " ".join(filter(None, (verdict.decision.value, verdict.subject.endpoint)))
    return html.render(
        [build(verdict, tables) for build in PAGES], f"{title} - shadow-analyzer", converter
    )


def print_page(page: Page, *, requests: bool = False) -> None:
    """A page as lines, with its texts to copy where those are asked for."""
    from rich.console import Console

    from analyzer.report import text

    Console(soft_wrap=True, highlight=False).print(text.render(page, requests=requests), end="")


def exit_code(verdict: Verdict, fail_on: FailOn) -> int:
    """The process's exit code for a decision under `--fail-on`."""
    if fail_on is FailOn.NEVER and verdict.decision.value != "ERROR":
        return 0
    if fail_on is FailOn.REJECT and verdict.exit_code == ExitCode.HOLD:
        return 0
    return verdict.exit_code


def shipped(checkout: str, wheel: str) -> Path:
    """A folder that lies in the wheel, or in a checkout beside the package."""
    package = Path(__file__).parents[1]
    for folder in (package / wheel, package.parent / checkout):
        if folder.is_dir():
            return folder
    raise AnalyzerError(f"{wheel} is missing from the installation")
