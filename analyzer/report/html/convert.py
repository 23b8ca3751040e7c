"""Vega-Lite specifications on stdin, SVG on stdout; a process of its own.

The converter is native code with a JavaScript engine inside: what it cannot bear ends its process,
and its memory is given back when it is done. Imports nothing of this package, so that it starts in
no time.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Convert a JSON object of specifications, name by name."""
    import vl_convert

    asked = json.load(sys.stdin)
    # Nothing may be fetched, whatever is in a specification.
    drawn = {
        name: vl_convert.vegalite_to_svg(spec, vl_version=asked["vl_version"], allowed_base_urls=[])
        for name, spec in asked["specs"].items()
    }
    json.dump(drawn, sys.stdout)


if __name__ == "__main__":
    main()
