"""A verdict as JUnit XML, which every CI system draws as a list of tests.

In: finished cases. Out: XML that any parser reads, whatever the names in it are.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from analyzer.report.content.test_cases import test_cases
from analyzer.report.plain_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.model import Verdict
    from analyzer.report.content.test_cases import Case

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUITE = "shadow-analyzer"


def render(verdict: Verdict, *, skip_holds: bool = False) -> str:
    """The document, without any time: the same verdict gives the same bytes.

    Args:
        verdict: what was decided.
        skip_holds: what only holds is skipped and no failure, as `--fail-on reject` lets it pass.
    """
    cases = test_cases(verdict)
    root = ET.Element("testsuites", {"name": _SUITE, **_tally(cases, skip_holds=skip_holds)})
    for group, of_group in groupby(cases, key=lambda case: case.group):
        members = list(of_group)
        tally = _tally(members, skip_holds=skip_holds)
        suite = ET.SubElement(root, "testsuite", {"name": f"{_SUITE}.{group}", **tally})
        for case in members:
            _draw(suite, case, skip_holds=skip_holds)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _draw(suite: ET.Element, case: Case, *, skip_holds: bool) -> None:
    where = {"classname": f"{_SUITE}.{case.group}", "name": _safe(case.name)}
    drawn = ET.SubElement(suite, "testcase", where)
    text = "\n".join(_safe(line) for line in case.lines)
    tag = _tag(case, skip_holds=skip_holds)
    if tag is None:
        ET.SubElement(drawn, "system-out").text = "\n".join([_safe(case.message), text])
        return
    kind = {} if tag == "skipped" else {"type": case.result}
    ET.SubElement(drawn, tag, {"message": _safe(case.message), **kind}).text = text


def _tag(case: Case, *, skip_holds: bool) -> str | None:
    if case.result == "passed":
        return None
    if case.result == "error":
        return "error"
    return "skipped" if skip_holds and case.holds else "failure"


def _tally(cases: Iterable[Case], *, skip_holds: bool) -> dict[str, str]:
    tags = [_tag(case, skip_holds=skip_holds) for case in cases]
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {"tests": str(len(tags)), **{name: str(tags.count(tag)) for name, tag in counts.items()}}


def _safe(text: str) -> str:
    """Text without what XML cannot hold even escaped."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", clean(text))
