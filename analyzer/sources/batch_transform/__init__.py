"""Batch-transform capture: manifests -> data files -> capture records as all others are.

    `{DestinationS3Uri}/input/yyyy/mm/dd/hh/`   manifests that name the input objects of a job
    `{DestinationS3Uri}/output/yyyy/mm/dd/hh/`  manifests that name its output objects

    ordinary(entries, aside)      what lies where manifests would is put aside, if some are
    read_job(...)       -> Job    the data files one job's manifests name, found or not
    counts(jobs, ...)             what that changes in the counts of skipped objects
    settled(objects)              the names both jobs share
    batch_chunks(...)   -> Chunks each line of an output with its line of the input, as one record

Assumes what AWS documents and no more: an output is named like its input with `.out` behind, and
holds as many lines as its input, or one JSON document for the whole of it. Where neither is so the
file counts as failed; no line is ever moved to where it seems to fit.
"""

from analyzer.sources.batch_transform.accounting import counts, notes, ordinary
from analyzer.sources.batch_transform.data_objects import data_folders
from analyzer.sources.batch_transform.jobs import Asked, Job, read_job, settled
from analyzer.sources.batch_transform.manifests import Candidate, capture_folder
from analyzer.sources.batch_transform.records import batch_chunks

__all__ = [
    "Asked",
    "Candidate",
    "Job",
    "batch_chunks",
    "capture_folder",
    "counts",
    "data_folders",
    "notes",
    "ordinary",
    "read_job",
    "settled",
]
