"""What is told of steps reaches whoever shows them, and what waits for one is begun with it."""

from __future__ import annotations

from analyzer.steps import as_it_begins


def test_what_waits_for_a_step_is_begun_once_before_its_first_report() -> None:
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

    report = as_it_begins("metrics", lambda: seen.append("begun"), shown)
    report("reading objects", 0, None, bytes_done=0, bytes_total=7)
    report("metrics", 0, 2)
    report("metrics", 1, 2)

    assert seen == [
        ("reading objects", 0, None, 0, 7),
        "begun",
        ("metrics", 0, 2, None, None),
        ("metrics", 1, 2, None, None),
    ]
