"""Codes of capture lines and of the objects that hold them: meaning and what to do.

In: what `explain` prints for rejected lines and skipped or damaged objects. Out: all other codes
(`note_codes`).
"""

from __future__ import annotations

from analyzer.sources.formats import UNSUPPORTED

_NOTHING = "Nothing; it says how the number was made."
_CAPTURE = "See the rejects table for file and line; check what else writes to the capture folder."
_SKIPPED = "Nothing if those objects were not meant; otherwise check SOURCE and the flags."
_OBJECT = "Restore or copy the object again, and run again."

CAPTURE_CODES: dict[str, tuple[str, str]] = {
    # what becomes of every line
    "blank": ("An empty line in a capture file.", _NOTHING),
    "malformed": ("Lines that are no JSON, by kind in rejects_by_code.", _CAPTURE),
    "not_capture": ("Lines of JSON that are no capture record, in rejects_by_code.", _CAPTURE),
    "out_of_window": ("Records before --since, or not before --until.", _NOTHING),
    "unpaired_production": (
        "Production's records without the shadow's: not sampled, not captured, or not yet there.",
        "Explain missing_pairs and sampling, which judge whether too many are missing.",
    ),
    "unpaired_shadow": (
        "The shadow's records without production's: not captured, or not yet there.",
        "Explain missing_pairs, which judges whether too many are missing.",
    ),
    "paired": ("Lines that are one half of a pair.", _NOTHING),
    "duplicate": ("The same record or point was given twice and counts once.", _NOTHING),
    "malformed.truncated": ("The line stops in the middle of its JSON.", _CAPTURE),
    "malformed.invalid-json": ("The line is not JSON.", _CAPTURE),
    "malformed.repeated-key": (
        "The record names a key twice; one record in 64 is looked at for it, so expect more.",
        "Mend what writes the captures; SageMaker never writes a key twice.",
    ),
    "malformed.invalid-utf8": ("The line is not UTF-8.", _CAPTURE),
    "malformed.oversize": (
        "The line is longer than max_line_bytes.",
        "Raise max_line_bytes in the policy if such records are real.",
    ),
    "not_capture.not-an-object": ("The line is JSON but no object.", _CAPTURE),
    "not_capture.no-capture-data": ("The line has no captureData.", _CAPTURE),
    "not_capture.no-payload": (
        "The record has neither input nor output.",
        "Capture Input and Output in CaptureOptions.",
    ),
    "not_capture.no-time": ("The record has no inferenceTime that can be read.", _CAPTURE),
    "empty": ("An object without content.", _SKIPPED),
    "hidden": (
        "An object whose name, or a folder's above it, begins with a dot or an underscore.",
        _SKIPPED,
    ),
    "not-a-file": ("A pipe or a device, or a folder named as a capture file.", _SKIPPED),
    "not-jsonl": ("An object of another kind than JSON Lines.", _SKIPPED),
    "metric-export": ("A metric export among the captures.", "Pass it with --cloudwatch."),
    "outside-layout": ("An object outside SageMaker's capture folders.", _SKIPPED),
    "outside-window": ("An object of an hour outside --since and --until.", _SKIPPED),
    **{
        code: (f"{what[0].upper()}{what[1:]} are not read.", f"{advice[0].upper()}{advice[1:]}.")
        for code, (what, advice) in UNSUPPORTED.items()
    },
    "batch-manifest": (
        "A manifest of batch-transform capture: it names data, it holds none.",
        _NOTHING,
    ),
    "not-in-manifest": ("An object that no batch-transform manifest names.", _SKIPPED),
    "batch-transform": ("The records are lines of batch-transform jobs.", _NOTHING),
    "missing-data": (
        "A data object that a manifest names is not there.",
        "Restore it; or copy captures and data into one folder and name that.",
    ),
    "missing-input": (
        "No input manifest names what an output was made from.",
        "Give the folder that holds both input/ and output/.",
    ),
    "missing-output": (
        "No output manifest names the output of an input.",
        "See whether the job finished, and run again.",
    ),
    "line-counts-differ": (
        "An output has more or fewer lines than its input, so that none can be told to belong.",
        "Run the job with SplitType Line and AssembleWith Line.",
    ),
    "ambiguous-data": (
        "Several files of a folder may be the one a manifest names.",
        "Copy the data so that their folders are those of the bucket.",
    ),
    "bad-manifest": ("A batch-transform manifest cannot be read as one.", _OBJECT),
    "unsafe-name": (
        "A manifest names a path that leaves its prefix; it is not followed.",
        "See who wrote the manifest.",
    ),
    "corrupt-gzip": ("A compressed object is damaged; what follows the damage is lost.", _OBJECT),
    "gzip-bomb": ("A compressed object unpacks to an unreasonable size.", _OBJECT),
    "corrupt-body": ("An object's content is not what S3 said it is.", _OBJECT),
    "incomplete-body": ("The download of an object ended early.", _OBJECT),
    "deleted-or-replaced": ("An object changed after it was listed.", "Run again."),
    "archived": (
        "An object in an archive storage class (GLACIER, DEEP_ARCHIVE): listed, but not readable.",
        "Restore it (aws s3api restore-object, or S3 Batch Operations for many), and run again.",
    ),
    "access-denied": ("An object may not be read.", "Grant s3:GetObject, and run again."),
}
