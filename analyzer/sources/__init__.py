"""Folder or S3 -> listed, pruned, read: the capture objects of two variants as whole lines.

    discover(...)        -> Listing     which objects, whose, and what was skipped
    open_chunks(listing) -> Chunks      their lines in order, failures included

Nothing here knows what a line means.
"""

from analyzer.sources.discovery import discover
from analyzer.sources.objects import (
    AwsOptions,
    Chunk,
    Listing,
    ObjectFailure,
    Oversize,
    SourceObject,
)
from analyzer.sources.reading import open_chunks

__all__ = [
    "AwsOptions",
    "Chunk",
    "Listing",
    "ObjectFailure",
    "Oversize",
    "SourceObject",
    "discover",
    "open_chunks",
]
