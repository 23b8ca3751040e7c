"""The house rules that can be checked: floors, who touches which library, sizes and names."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "addresses": 0,
    "model": 0,
    "policy": 0,
    "machine": 0,
    "errors": 0,
    "figures": 0,
    "secrets": 0,
    "steps": 0,
    "stats": 1,
    "metrics": 2,
    "gates": 2,
    "asked": 3,
    "bundle": 3,
    "captures": 3,
    "cloudwatch": 3,
    "endpoint": 3,
    "engine": 3,
    "labels": 3,
    "metric_export": 3,
    "out_folder": 3,
    "payloads": 3,
    "replayed": 3,
    "slices": 3,
    "sources": 3,
    "spark": 3,
    "verdict": 3,
    "analysis": 4,
    "doctor": 4,
    "promotion": 4,
    "reading": 4,
    "replay": 4,
    "report": 4,
    "console": 5,
    "cli": 5,
    "__main__": 5,
}
OWNERS = {
    "duckdb": {"engine", "captures"},
    "boto3": {"promotion", "replay", "sources"},
    "botocore": {"metric_export", "promotion", "replay", "sources"},
    "streamlit": {"app"},
    "typer": {"cli"},
    "pyspark": {"spark"},
    "py4j": {"spark"},
}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
LONGEST_FILE = 400


def modules() -> list[Path]:
    return sorted([*(ROOT / "analyzer").rglob("*.py"), *(ROOT / "app").rglob("*.py")])


def room(path: Path) -> str:
    """The first name below analyzer/, or app."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "app" if parts[0] == "app" else parts[1]


def imports(path: Path) -> set[str]:
    """Every module imported anywhere in the file, deferred imports and type-only ones included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def runtime_imports(path: Path) -> set[str]:
    """As `imports`, without what only the type checker sees."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_look_down_or_sideways_never_up(path: Path) -> None:
    own = 5 if room(path) == "app" else FLOORS.get(room(path))
    if room(path) == "__init__":
        own = 5
    assert own is not None, f"{room(path)} has no floor"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "analyzer" and len(parts) > 1 and parts[1] in FLOORS:
            assert FLOORS[parts[1]] <= own, f"{path.name} imports {name} from a higher floor"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_each_library_is_touched_only_by_its_owners(path: Path) -> None:
    for name in runtime_imports(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or room(path) in owners, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_is_a_grab_bag_or_too_long(path: Path) -> None:
    assert path.stem not in BANNED_NAMES
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST_FILE, f"{path.name} has {lines} lines; two rooms?"


def test_statistics_know_only_numpy_and_scipy() -> None:
    allowed = {"numpy", "scipy", "analyzer", "__future__", "dataclasses", "typing", "functools"}
    allowed |= {"collections", "math"}
    for path in (ROOT / "analyzer" / "stats").glob("*.py"):
        used = {name.split(".")[0] for name in imports(path)}
        assert used <= allowed, f"{path.name} imports {used - allowed}"


def test_no_broad_except_hides_a_bug() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "everything"
                assert caught not in {"everything", "Exception", "BaseException"}, path.name


def test_no_two_test_modules_share_a_name() -> None:
    """Test folders are no packages: pytest would import the second as the first."""
    found = (ROOT / "tests").rglob("test_*.py")
    names = Counter(path.name for path in found if "site-packages" not in path.parts)
    assert [name for name, files in names.items() if files > 1] == []


def test_top_level_holds_only_what_the_project_promises() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {name.split("/")[0] for name in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible <= {
        "pyproject.toml",
        "analyzer",
        "app",
        "tests",
        "sample_data",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "constraints.txt",
    }


def test_every_sql_file_says_what_it_reads_and_gives() -> None:
    files = sorted((ROOT / "analyzer" / "sql").rglob("*.sql"))
    assert files
    for path in files:
        header = path.read_text(encoding="utf-8")[:600].lower()
        assert "reads" in header, path.name
        assert "gives" in header, path.name
