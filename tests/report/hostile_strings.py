"""Fifty strings that mean something to one of the places text goes, and a bundle made of them."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache

import polars as pl

from analyzer.model import Decision, Verdict
from analyzer.report import html
from analyzer.report.content import PAGES
from tests.report.frames import tables
from tests.report.verdicts import hostile

EVIL = "evil.test"
STRINGS = (
    # HTML, SVG, MathML and what mutates into them
    f"<script src=//{EVIL}/1></script>",
    f"<img src=http://{EVIL}/2 onerror=alert(2)>",
    "<svg onload=alert(3)>",
    f"<iframe src=http://{EVIL}/4></iframe>",
    "<body onload=alert(5)>",
    "<details open ontoggle=alert(6)>",
    f"</style><img src=http://{EVIL}/7>",
    f"</title></textarea></noscript><img src=http://{EVIL}/8>",
    f"<math><mtext><table><mglyph><style><img src=http://{EVIL}/9>",
    f"<svg><style><img src=http://{EVIL}/10></style>",
    f"<link rel=stylesheet href=http://{EVIL}/11>",
    f"<base href=http://{EVIL}/12>",
    f"<meta http-equiv=refresh content=0;url=http://{EVIL}/13>",
    "<a href=javascript:alert(14)>x</a>",
    f'" onmouseover=alert(15) style="background:url(http://{EVIL}/15)',
    "' autofocus onfocus=alert(16) '",
    f"<!--><img src=http://{EVIL}/17>-->",
    f"]]><img src=http://{EVIL}/18>",
    "&lt;script&gt;alert(19)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(20)&#62;",
    f"<object data=http://{EVIL}/21></object>",
    f"<form action=http://{EVIL}/22><input type=submit autofocus>",
    f"<video><source onerror=alert(23) src=http://{EVIL}/23></video>",
    # Markdown, of GitHub and of Streamlit
    f"![24](http://{EVIL}/24.png)",
    f"[25](http://{EVIL}/25)",
    f"http://{EVIL}/26",
    f"www.{EVIL}/27 someone@{EVIL}",
    f"<http://{EVIL}/28>",
    "# 29\n## heading",
    "| 30 | cell |\n|-|-|",
    "```31\n</code></pre>",
    "`32` **bold** ~~gone~~ _it_",
    "@everyone #33 GH-1",
    ":red[34] :material/home: :smile:",
    "$\\href{javascript:alert(35)}{x}$",
    f"[36]: http://{EVIL}/36",
    # Vega's expressions and formats
    "{{datum.constructor.constructor('alert(37)')()}}",
    "datum.x; alert(38)",
    "%~s${39}",
    # spreadsheets
    f'=HYPERLINK("http://{EVIL}/40","40")',
    "@SUM(41)",
    "\t=cmd|' /C calc'!A42",
    # terminals
    "\x1b[31m43\x1b]8;;http://evil.test/43\x07x\x1b]8;;\x07",
    "44\x08\x08\x9b2J\x07",
    "45\rPROMOTE",
    # CI logs, logs and direction
    "46%0A::error::x\n::set-output name=x::y",
    "##vso[task.complete]47",
    "48\u202eETOMORP\u2066",
    "49\u2028\u2029\x00\ufffe",
    "[bold red]50[/] {0} %s {}",
)
STAMP = datetime(2026, 11, 20)  # noqa: DTZ001 - the bundle's times are UTC without saying so


@cache
def hostile_document() -> str:
    """The static report of both, drawn once for all tests that only read it."""
    pages = [build(hostile_verdict(), hostile_tables()) for build in PAGES]
    return html.render(pages, STRINGS[0])


def hostile_verdict() -> Verdict:
    """Every string in every list of a verdict, and all together where there is one place."""
    body = hostile(" ".join(STRINGS)).model_dump(mode="json")
    reason, gate = body["reasons"][0], next(iter(body["gates"].values()))
    metric = next(iter(body["metrics"].values()))
    note = body["notes"][0]
    said = [{"code": text, "text": text} for text in STRINGS]
    body["reasons"] = [
        {**reason, "code": text, "gate": text, "text": text, "advice": f"{text} {number}"}
        for number, text in enumerate(STRINGS)
    ]
    body["notes"] = [note, *said]
    body["gates"] = {text: {**gate, "text": text} for text in STRINGS}
    body["metrics"] |= {text: {**metric, "notes": [note]} for text in STRINGS}
    body["metrics"]["flip_rate"]["notes"] = said
    body["ledger"]["rejects_by_code"] = dict.fromkeys(STRINGS, 3)
    for name in ("objects_skipped", "objects_failed", "metric_points_dropped"):
        body["inputs"][name] = dict.fromkeys(STRINGS, 2)
    body["policy"]["effective"] = {text: text for text in STRINGS}
    return Verdict.model_validate_json(json.dumps(body))


def hostile_tables() -> dict[str, pl.DataFrame]:
    """Every string in every text column of a bundle's tables."""
    return {**tables(Decision.HOLD), **hostile_texts()}


def hostile_texts() -> dict[str, pl.DataFrame]:
    """Those of them that hold what was captured; the others are numbers."""
    count = len(STRINGS)
    numbers = list(range(1, count + 1))
    worst = {
        "rank": numbers,
        "pair_id": [*STRINGS],
        "inference_id": [*STRINGS],
        "captured_at": [STAMP] * count,
        "production_value": [*STRINGS],
        "shadow_value": [*STRINGS],
        "difference": [1.0] * count,
    }
    rejects = {
        "code": [*STRINGS],
        "role": ["production"] * count,
        "object_key": [*STRINGS],
        "line_number": numbers,
        "line_sha256": ["ab" * 32] * count,
        "line_bytes": numbers,
    }
    counted = ("documents", "differing", "changed", "retyped", "missing", "added")
    return {
        "worst_pairs": pl.DataFrame(worst),
        "worst_parts": pl.DataFrame(
            {"rank": numbers, "slice": ["input.1"] * count, "part": [*STRINGS]}
        ),
        "worst_clusters": pl.DataFrame(
            {
                "slice": ["input.1"] * count,
                "part": [*STRINGS],
                "worst": [40] * count,
                "of": [100] * count,
                "share": [0.1] * count,
            }
        ),
        "worst_outputs": pl.DataFrame(
            {
                "rank": numbers,
                "production_output": [*STRINGS],
                "shadow_output": [f"x {text} y" for text in STRINGS],
            }
        ),
        "rejects": pl.DataFrame(rejects),
        "flips": pl.DataFrame(
            {
                "production_label": [*STRINGS],
                "shadow_label": [*reversed(STRINGS)],
                "predictions": numbers,
            }
        ),
        "contract_changes": pl.DataFrame({"code": [*STRINGS], "pairs": numbers}),
        "json_field_changes": pl.DataFrame(
            {
                "field": [*STRINGS],
                **dict.fromkeys(counted, numbers),
                "largest_difference": [1.0] * count,
            }
        ),
        "labels": pl.DataFrame({"code": [*STRINGS], "count": numbers, "unit": ["label"] * count}),
    }
