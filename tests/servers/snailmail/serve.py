"""An S3 server with a delay before every answer, told what to do line by line.

It prints its address as one line of JSON. To `reset` it forgets its counts, to `stats` it prints
them as one line of JSON, and it ends with its standard input.
"""

from __future__ import annotations

import json
import sys

from snailmail import Fixed, ObjectStore  # type: ignore[import-not-found]  # has its own venv


def say(what: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def main() -> None:
    delay_ms = float(sys.argv[1])
    store = ObjectStore(bucket="captures").start()
    say({"url": store.endpoint_url, "bucket": store.bucket})
    for line in sys.stdin:
        if line.strip() == "reset":
            store.set_latency(Fixed(delay_ms))
            store.reset_counts()
        say(store.stats())
    store.stop()


if __name__ == "__main__":
    main()
