"""Decide whether a SageMaker shadow variant may take production's place.

The folders are the sentence of the mission; data flows one way, top to bottom:

    sources      folder or S3 -> capture objects as whole lines
    captures     lines -> records, pairs, and a ledger of every line
    payloads     outputs -> compared predictions
    slices       the parts of the traffic that the policy names -> counts of each
    labels       ground truth -> which predictions were right
    replayed     the sidecars of a replay -> what became of each request
    cloudwatch   metric exports of any shape -> one table of points
    metric_export  a live endpoint's metrics, asked of CloudWatch and written as an export
    endpoint     what is known of the endpoint: variants, models, samplings, since when
    engine, sql  every table and question in SQL, one file each
    spark        the same engine over rows in many parts, where one machine is not enough
    asked        what is asked of either, whichever it is
    reading      one test's captures -> reduced facts; kept between runs, windowed, noise floor
    metrics      facts -> evidence: interval against margin, one metric each
    gates        facts -> may the evidence be believed?
    stats        the statistics both use: arrays in, estimates out
    verdict      evidence and gates -> PROMOTE, HOLD or REJECT; checked again, and compared
    analysis     puts one run together
    bundle       verdict.json, tables and manifest on disk; out_folder is emptied first
    report       one page of words, drawn in terminal, Markdown, HTML and the app
    replay       captured requests -> a candidate -> captures and their sidecar
    promotion    verdict and endpoint -> the AWS requests that carry it out; sends them if asked
    doctor       what a run would read and what it lacks, without running it
    cli          one module a command: parse, call, print, exit code
    console      what surrounds a command: signals, streams, messages, progress, the run's log

Below all of them: `model` holds the nouns they exchange, `policy` what can change a judgement,
`machine` what may be used of it, `addresses` what is no path, `errors` what can stop a run
(`secrets` keeps out of its messages what must not be said), `figures` how a number reads, `steps`
how a long step says how far it is.
Decisions that are not obvious from the code are in DESIGN.md beside this file.
"""

__version__ = "0.1.0"
