"""Vega-Lite specifications on stdin, SVG on stdout; a process of its own.

The converter is native code with a JavaScript engine inside: what it cannot bear ends its process,
and its memory is given back when it is done. Imports nothing of this package, so that it starts in
no time.
"""

from __future__ import annotations

import json
import signal
import sys

PATIENCE_S = 120
_FIRST = {"data": {"values": [{"at": 0}]}, "mark": "point", "encoding": {"x": {"field": "at"}}}


def main() -> None:
    """Convert specifications, one a line, name by name; answer when there are no more.

    Each is converted while its sender makes the next one, and all are answered at the end: two
    processes that write to each other at the same time can wait for each other for ever.
    """
    import vl_convert

    # The engine takes longer to start than to draw, so it starts before anything is asked.
    # Nothing may be fetched, whatever is in a specification.
    vl_convert.vegalite_to_svg(_FIRST, allowed_base_urls=[])
    drawn: dict[str, str] = {}
    for line in sys.stdin:
        if not drawn:
            signal.alarm(PATIENCE_S)
        asked = json.loads(line)
        drawn[asked["name"]] = vl_convert.vegalite_to_svg(
            asked["spec"], vl_version=asked["vl_version"], allowed_base_urls=[]
        )
    json.dump(drawn, sys.stdout)


if __name__ == "__main__":
    main()
