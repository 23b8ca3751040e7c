"""A memory limit is a size the engine understands alike, or the flag is named."""

from __future__ import annotations

import duckdb
import pytest

from analyzer.errors import UsageError
from analyzer.machine import memory_limit
from analyzer.machine.memory_limit import memory_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("40000000B", 40_000_000),
        ("40000KB", 40_000_000),
        ("500MB", 500_000_000),
        ("2GB", 2_000_000_000),
        ("2 gb", 2_000_000_000),
        ("1.5GB", 1_500_000_000),
        ("1TB", 10**12),
        ("40000KiB", 40_960_000),
        ("512MiB", 536_870_912),
        (" 2GiB ", 2_147_483_648),
        ("1tib", 2**40),
    ],
)
def test_a_size_is_what_the_engine_takes_it_for(text: str, size: int) -> None:
    assert memory_size(text) == size
    with (
        duckdb.connect(config={"memory_limit": text}) as meant,
        duckdb.connect(config={"memory_limit": f"{size}B"}) as said,
    ):
        asked = "select current_setting('memory_limit')"
        assert meant.sql(asked).fetchall() == said.sql(asked).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "lots",
        "",
        " ",
        "-5GB",
        "+5GB",
        "5",
        "5XB",
        "GB",
        "0GB",
        "0.0B",
        "80%",
        "1e3MB",
        "inf",
        "5iB5",
    ],
)
def test_what_is_no_size_names_the_flag_and_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        memory_size(text)
    assert str(caught.value) == (
        f"--memory-limit {text!r}: expected a size above zero such as 500MB, 2GB or 1.5GiB"
    )


@pytest.mark.parametrize(
    ("memory", "cores", "size"),
    [
        (1 << 29, 2, 1 << 27),
        (1 << 34, 1, 224 << 20),
        (1 << 34, 4, 448 << 20),
        (1 << 40, 192, 1 << 30),
    ],
)
def test_the_default_limit_grows_with_the_cores_up_to_a_gibibyte(
    memory: int, cores: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_limit, "memory_available", lambda: memory)
    assert memory_limit.default_memory_limit(cores) == size
