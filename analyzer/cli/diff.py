"""`analyzer diff`: what changed between two verdicts, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.flags import Format, FormatOption, VerdictArgument, read
from analyzer.cli.showing import print_page


def diff(
    first: VerdictArgument,
    second: Annotated[Path, typer.Argument(help="The later one.", callback=read("a bundle"))],
    *,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what changed between two verdicts, and why."""
    from analyzer import bundle
    from analyzer.report import markdown
    from analyzer.report.content.diff_page import diff_page
    from analyzer.report.plain_text import printed_json
    from analyzer.verdict.diff import difference

    found = difference(bundle.examine(first), bundle.examine(second))
    if form is Format.JSON:
        print(printed_json(found.to_json()), end="")
    elif form is Format.MARKDOWN:
        print(markdown.render(diff_page(found)), end="")
    else:
        print_page(diff_page(found))
