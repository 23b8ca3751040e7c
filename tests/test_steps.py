"""What is told of steps reaches whoever shows them, and what waits for one is begun with it."""

from __future__ import annotations

from analyzer.steps import as_it_ends


def test_what_waits_for_a_step_is_begun_once_when_all_of_it_is_done() -> None:
    seen: list[object] = []

    def shown(
        step: str,
        done: int,
        total: int | None,
        /,
        *,
        bytes_done: int | None = None,
        bytes_total: int | None = None,
    ) -> None:
        seen.append((step, done, total, bytes_done, bytes_total))

    report = as_it_ends("pairing", lambda: seen.append("begun"), shown)
    report("reading objects", 7, 7, bytes_done=7, bytes_total=7)
    report("pairing", 0, 1)
    report("pairing", 1, 1)
    report("pairing", 1, 1)

    assert seen == [
        ("reading objects", 7, 7, 7, 7),
        ("pairing", 0, 1, None, None),
        "begun",
        ("pairing", 1, 1, None, None),
        ("pairing", 1, 1, None, None),
    ]
