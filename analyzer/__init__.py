"""Decide whether a SageMaker shadow variant may take production's place.

The folders are the sentence of the mission; data flows one way, top to bottom:

    sources      folder or S3 -> capture objects as whole lines
    captures     lines -> records, pairs, and a ledger of every line
    cache        parsed objects kept between runs; captured: what they came to
    cloudwatch   metric exports of any shape -> one table of points
    metric_export  a live endpoint's metrics, asked of CloudWatch and written as an export
    payloads     outputs -> compared predictions
    labels       ground truth -> which predictions were right; label_files reads it
    slices       the parts of the traffic that the policy names -> counts of each
    noise_floor  production against itself: what divergence is judged above
    engine, sql  every table and question in SQL, one file each
    metrics      facts -> evidence: interval against margin, one metric each
    gates        facts -> may the evidence be believed?
    stats        the statistics both use: arrays in, estimates out
    verdict      evidence and gates -> PROMOTE, HOLD or REJECT
    cross_check  does a verdict that was read follow from its own evidence?
    analysis     puts one run together; reading, subject, window and opt_outs are its steps
    replay       captured requests -> a candidate -> captures and their sidecar; replayed reads it
    doctor       what a run would read and what it lacks, without running it
    bundle       verdict.json, tables and manifest on disk
    diff         what changed between two verdicts, and why
    report       one page of words, drawn in terminal, Markdown and the app
    promotion    verdict and endpoint -> the AWS requests that carry it out; sends them if asked
    cli          one module a command: parse, call, print, exit code
    __main__     what surrounds a command: process (signals, streams), out_folder (emptied first)

`messages` and `progress` speak on stderr, `run_log` takes down what a run took.
`private_folder` is where a run spills. `model` holds the nouns all of them exchange (over `values`
and `compared`), `policy` what can change a judgement (read by `policy_file`), `errors` what can
stop a run (`secrets` keeps out of its messages what must not be said), `figures` how a number
reads. Decisions that are not obvious from the code are in DESIGN.md beside this file.
"""

__version__ = "0.1.0"
