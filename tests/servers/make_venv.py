"""Make the environment of something that tests talk to and that has its own dependencies.

    python tests/servers/make_venv.py snailmail

makes `tests/servers/snailmail/.venv` from the `requirements.txt` beside it, at the versions of the
`constraints.txt` beside it, else of the project's where both need a package. Its tests are skipped
where it was not made.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
CONSTRAINTS = HERE.parents[1] / "constraints.txt"


def interpreter(server: str) -> Path:
    """The Python of a server's environment, whether it was made or not."""
    return HERE / server / ".venv" / "bin" / "python"


def make(server: str) -> None:
    """Make or complete the environment."""
    venv.create(HERE / server / ".venv", with_pip=True)
    install = [str(interpreter(server)), "-m", "pip", "install", "--quiet", "--no-input"]
    install += ["--no-compile"]  # most of it is never imported
    own = HERE / server / "constraints.txt"
    pinned = own if own.exists() else CONSTRAINTS
    wanted = ["-r", str(HERE / server / "requirements.txt"), "-c", str(pinned)]
    subprocess.run([*install, *wanted], check=True)


if __name__ == "__main__":
    make(sys.argv[1])
