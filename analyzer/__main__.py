"""`analyzer`, and `python -m analyzer`: what surrounds a command, whichever it is.

In: what has to happen before anything is imported, and every way to end as one line and an exit
code. Out: the commands (`cli`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    from analyzer.console import process

    process.leave_on_signals()
    stdout = process.steady_streams()
    from analyzer.out_folder import claim_early

    claim_early(sys.argv[1:])
    code = _exit_code()
    sys.stdout.flush()
    if stdout.failure is not None:  # what was lost on its way is no success
        code = _unwritten(stdout.failure)
    sys.exit(code)


def _exit_code() -> int:
    """The command's own code, or that of the failure that ended it, said in one line."""
    import errno

    from analyzer.cli import run_command_line
    from analyzer.errors import AnalyzerError, ExitCode

    try:
        return run_command_line()
    except AnalyzerError as error:
        _complain(str(error))
        return error.exit_code
    except MemoryError:
        _complain("out of memory; set --memory-limit or shorten the run with --since and --until")
        return ExitCode.RESOURCES
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            raise
        return _unwritten(error)


def _unwritten(error: OSError) -> int:
    from analyzer.errors import ExitCode

    _complain(f"output could not be written: {error.strerror}")
    return ExitCode.RESOURCES


def _complain(message: str) -> None:
    from analyzer.console.messages import line

    print(line("error", message), file=sys.stderr)


if __name__ == "__main__":
    main()
