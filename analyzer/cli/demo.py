"""`analyzer demo`: the main job on a sample."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from analyzer.cli.flags import Format, OutOption
from analyzer.cli.run import analyse
from analyzer.cli.showing import shipped, show
from analyzer.console.process import started_as
from analyzer.out_folder import DEFAULT_OUT, claim


def demo(
    out: OutOption = DEFAULT_OUT["demo"],
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """Run the main job on a sample; print how to see its report."""
    claim(out)
    from analyzer import analysis

    scenario = shipped("sample_data/slow_tail", "_sample/slow_tail")
    request = analysis.Request(
        source=str(scenario / "captures"),
        cloudwatch=(str(scenario / "cloudwatch"),),
        policy_file=scenario / "policy.toml",
        use_cache=False,
    )
    command = ["run", str(scenario / "captures")]
    command += ["--cloudwatch", str(scenario / "cloudwatch")]
    command += ["--policy", str(scenario / "policy.toml"), "--out", str(out)]
    print(f"{started_as()} {shlex.join(command)}\n")
    verdict = analyse(request, out, quiet=quiet)
    show(verdict, out, Format.TEXT)
