"""Captured requests -> a candidate -> capture records with latency: a shadow test in minutes.

    requests     a capture line -> the request that made it
    selection    which requests, in what order; pure
    schedule     when each is due; pure
    plan         the requests fixed on disk
    targets      what is asked: web server, endpoint, function
    sending      open loop over a bounded number of threads
    journal      what was sent and what came of it
    recording    journal -> capture JSONL and sidecar
    summary      what it came to
    replaying    one replay put together

The records go round to `sources`: `analyzer run` reads them as any shadow test.
"""

from analyzer.replay.replaying import Replay, replay
from analyzer.replay.summary import Summary

__all__ = ["Replay", "Summary", "replay"]
