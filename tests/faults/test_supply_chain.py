"""What is installed is what was pinned, and nothing here runs what it reads."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
BANNED_IMPORTS = {
    "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "torch",
    "xmlrpc", "telnetlib", "ftplib", "imp",
}  # fmt: skip
BANNED_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
BANNED_NAMES = {
    "os.system", "os.popen", "os.execv", "os.spawnv", "tempfile.mktemp", "np.load",
    "numpy.load", "pd.read_pickle", "pl.read_database", "ssl._create_unverified_context",
}  # fmt: skip
BANNED_ARGUMENTS = {("shell", True), ("verify", False), ("allow_pickle", True)}


def findings(source: str) -> list[str]:
    """What a module does that it must not."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in BANNED_IMPORTS]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module or ""] * ((node.module or "").split(".")[0] in BANNED_IMPORTS)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            found += [name] * (name in BANNED_NAMES)
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in BANNED_CALLS:
                found.append(node.func.id)
            found += [
                f"{ast.unparse(node.func)}({given.arg}=...)"
                for given in node.keywords
                if isinstance(given.value, ast.Constant)
                and (given.arg, given.value.value) in BANNED_ARGUMENTS
            ]
    return found


MODULES = sorted([*(ROOT / "analyzer").rglob("*.py"), *(ROOT / "app").rglob("*.py")])


def test_no_module_runs_what_it_reads() -> None:
    assert MODULES
    for path in MODULES:
        assert findings(path.read_text(encoding="utf-8")) == [], path.name


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "import joblib.numpy_pickle",
        "eval(text)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
        "np.load(file)",
        "read_array(file, allow_pickle=True)",
        "session.get(url, verify=False)",
    ],
)
def test_what_must_not_be_there_would_be_found(source: str) -> None:
    assert len(findings(source)) == 1


def test_no_query_installs_attaches_or_reads_beyond_what_it_was_given() -> None:
    banned = re.compile(r"\b(install|load|attach|pragma|read_csv|read_json|read_text|glob)\b")
    for path in (ROOT / "analyzer" / "sql").rglob("*.sql"):
        code = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))
        assert not banned.search(code), path.name


def pins() -> dict[str, str]:
    """Name -> what constraints.txt says of it."""
    found: dict[str, str] = {}
    for text in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if not text or text.startswith("#"):
            continue
        asked = Requirement(text)
        (pin,) = asked.specifier
        assert pin.operator == "==", text
        assert "*" not in pin.version, text
        assert asked.url is None, text
        if asked.marker is None or asked.marker.evaluate():
            found[canonicalize_name(asked.name)] = pin.version
    return found


def needed() -> set[str]:
    """Everything that the package and its tests install, as what is installed says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    asked += [
        Requirement(text) for extra in project["optional-dependencies"].values() for text in extra
    ]
    found: dict[str, set[str]] = {}
    while asked:
        one = asked.pop()
        name, known = canonicalize_name(one.name), canonicalize_name(one.name) in found
        if known and one.extras <= found[name]:
            continue
        found[name] = found.get(name, set()) | one.extras
        try:
            further = distribution(name).requires or ()
        except PackageNotFoundError:
            continue
        for text in further:
            requirement = Requirement(text)
            extras = found[name] or {""}
            if requirement.marker is None or any(
                requirement.marker.evaluate({"extra": extra}) for extra in extras
            ):
                asked.append(requirement)
    return set(found)


def test_every_package_that_is_installed_with_this_one_is_pinned() -> None:
    missing = needed() - pins().keys() - {"shadow-analyzer"}
    assert not missing, "add to constraints.txt"


def test_what_is_installed_is_what_was_pinned() -> None:
    """Else the tests ran with other libraries than a user who follows the README gets."""
    pinned, other = pins(), {}
    for name in needed() - {"shadow-analyzer"}:
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        if installed != pinned[name]:
            other[name] = (installed, pinned[name])
    assert other == {}
