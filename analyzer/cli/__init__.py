"""The command line: one module a command, `door` that names them all.

stdout carries the chosen format and nothing else; progress, notes and errors go to stderr.
Only here is anything printed on stdout. Everything heavy is imported inside the command that needs
it, so that `--help` stays fast.
"""

from analyzer.cli.door import EXIT_CODES_HELP, app, run_command_line

__all__ = ["EXIT_CODES_HELP", "app", "run_command_line"]
