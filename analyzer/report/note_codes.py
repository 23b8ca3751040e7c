"""Every code of a note, reject, skipped object, dropped point or error: meaning and what to do.

In: what `explain` prints for codes that are neither a metric nor a gate. Out: metrics and gates,
which bring their own words.
"""

from __future__ import annotations

from analyzer.report.capture_codes import CAPTURE_CODES
from analyzer.report.label_codes import LABEL_CODES
from analyzer.report.prediction_codes import PREDICTION_CODES
from analyzer.report.promotion_codes import PROMOTION_CODES
from analyzer.report.replay_codes import REPLAY_CODES
from analyzer.report.sending_codes import SENDING_CODES

_NOTHING = "Nothing; it says how the number was made."
_POLICY = "Nothing if it was meant; otherwise take the key out of policy.toml."
_EXPORTER = "Mend the export where those points matter to a metric; otherwise nothing."
_SKIPPED = "Nothing if those objects were not meant; otherwise check SOURCE and the flags."
_OUTPUT = "See the tables contract_changes and worst_pairs, and compare both containers' output."
_SLICE = "Check the column or path in [slices] against the captured inputs."
_FLAG = "Correct the command as the message says, and run again."
_FILE = "Correct the file as the message says, and run again."

NOTE_CODES: dict[str, tuple[str, str]] = {
    # when a result may be read, and which minutes count
    "configurations-differ": (
        "endpoint.json files of one endpoint, written in turn, name different configurations.",
        "Judge one: --since after the change, or without the exports made before it.",
    ),
    "only-look": (
        "The policy promises that the result is read once; fixed bounds hold for one look.",
        "If it was read before, or will be read again with more data, judge by anytime.",
    ),
    "planned-horizon": (
        "Planned bounds hold for every look up to a length declared before the test.",
        _NOTHING,
    ),
    "past-horizon": (
        "The test ran longer than was declared; looks after the horizon are not paid for.",
        "Judge by anytime, or set --until to the declared end.",
    ),
    "planned-by-anytime": (
        "Shares of pairs keep their exact anytime bound, which holds up to the horizon too.",
        _NOTHING,
    ),
    "warm-up": (
        "Ten minutes after a deployment or scaling are left out of both variants' latency.",
        _NOTHING,
    ),
    # agreement of labels
    "too-many-labels": (
        "The table of flips holds only the most frequent pairs of labels.",
        "Nothing; read the flips table and the flip rate instead.",
    ),
    "one-label": ("Both variants give every request the same one label.", "Capture for longer."),
    "one-look-test": (
        "This p-value holds for a single look and decides nothing.",
        "Do not poll it; the judged metrics have bounds for that.",
    ),
    "symmetry-test": ("Whether flips go both ways alike.", "See the flips table."),
    "marginal-test": ("Whether both variants give each label equally often.", _NOTHING),
    # latency and error rates
    "absolute-margin": (
        "The margin in milliseconds is larger than the ratio and counts.",
        _NOTHING,
    ),
    "absolute-margin-unused": (
        "The margin in milliseconds is left out: at this level it would hide a wrong unit.",
        "Check the unit of the export; the margin in percent is judged.",
    ),
    "slower-within-margin": (
        "The shadow is slower for certain, by less than is allowed.",
        _NOTHING,
    ),
    "higher-within-margin": (
        "The error share is higher for certain, by less than is allowed.",
        _NOTHING,
    ),
    "interval-across-margin": (
        "The interval holds values on both sides of the margin: neither pass nor fail is shown.",
        "Let the test run on, as the metric's needs say.",
    ),
    "too-few-independent-minutes": (
        "Neighbouring minutes are so alike that they are worth too few independent ones.",
        "Let the test run on.",
    ),
    "too-few-periods": (
        "A percentile's interval needs more periods than were compared.",
        "Let the test run on.",
    ),
    "too-few-requests": (
        "A period holds too few requests for this percentile to mean anything.",
        "Do what the metric's needs say: more traffic to the shadow, or a longer window.",
    ),
    "percentile-period": (
        "The period whose percentiles are compared, and what it covers.",
        _NOTHING,
    ),
    "not-exported": (
        "CloudWatch series this metric needs were not given.",
        "Export what the metric's needs name; the note how-to-export has the command.",
    ),
    "how-to-export": (
        "The command that exports what unresolved metrics miss.",
        "Run it, and pass --cloudwatch metrics; README, Prepare a test, has queries instead.",
    ),
    "error-series-missing": (
        "An error count of a variant was not exported, which is not the same as no errors.",
        "Export it (Sum, 60 s) of both variants.",
    ),
    "error-series-gaps": (
        "An error count has no value in many minutes that have requests.",
        "Export it (Sum, 60 s) for the whole window.",
    ),
    "error-count-implausible": (
        "More errors than requests: the export contradicts itself.",
        "Export errors and Invocations of the same variant, as Sum at 60 s.",
    ),
    "requests-untimed": (
        "Requests of the shadow have neither a latency nor an error: two exports contradict.",
        "Export InvocationModelErrors and ModelLatency's SampleCount of the shadow again.",
    ),
    "no-shared-minutes": (
        "No minute has requests of both variants.",
        "Check that both exports are of the same time.",
    ),
    "model-errors-derived": (
        "InvocationModelErrors is not exported: requests without a latency sample are counted.",
        "Export InvocationModelErrors (Sum, 60 s) to have it counted by AWS.",
    ),
    "disk-capture-loss": (
        "The disk was so full that SageMaker drops capture records.",
        "Give the instances more disk; captures of that time are incomplete.",
    ),
    # predictions
    "large-shift": ("From which size on a score's shift is large.", _NOTHING),
    "shift-tolerance": (
        "From which size on two scores differ.",
        "Set predictions.tolerance to the largest change without meaning.",
    ),
    "no-tolerance": (
        "A new model moves every score, so shifts are shown and not judged.",
        "Set predictions.tolerance to have them judged.",
    ),
    "no-a-a": (
        "How often production disagrees with itself is not known and taken as zero.",
        "Where the model answers at random, pass --noise-floor: production against itself.",
    ),
    "noise-floor": (
        "How often production disagrees with itself; divergence is judged above it.",
        "Check that both answers were of production's model: the floor excuses that much.",
    ),
    "no-floor-here": ("A noise floor was given, and this is not judged above it.", _NOTHING),
    "noise-floor-other": (
        "The noise floor is of another endpoint, model or way of reading outputs.",
        "Compare production with itself on this endpoint, under this policy.",
    ),
    "noise-floor-too-small": (
        "The noise floor has too few pairs or inputs to say how often production errs.",
        "Capture production against itself for longer.",
    ),
    "slice-review": (
        "A part of the traffic that the policy names fails, even as one of all parts looked at.",
        "See the slices on the predictions page; mend the shadow for that part.",
    ),
    "slice-unread": (
        "Nearly no pair has a value where a slice of the policy looks: its parts were not judged.",
        "Correct the column or path in [slices]; of a text slice by categories; or take it out.",
    ),
    "slice-direction": (
        "The change of the whole is carried by few parts; most parts change the other way.",
        "Look at the parts before trusting the whole.",
    ),
    "slice-gaps": (
        "Pairs whose value a slice could not read are a bin of their own.",
        _SLICE,
    ),
    # bins of a slice
    "value": ("A bin of a slice: the pairs whose inputs have this value.", "Nothing."),
    "range": ("A bin of a slice: the pairs whose inputs have a number in this range.", "Nothing."),
    "other": ("A bin of a slice: all its rarer values together.", "Nothing."),
    "missing": ("A bin of a slice: pairs whose input has no such value, or an empty one.", _SLICE),
    "several": ("A bin of a slice: pairs whose input has several values there.", _SLICE),
    "not-a-number": ("A bin of a slice of ranges: pairs whose value is no number.", _SLICE),
    **PREDICTION_CODES,
    "bursts": (
        "Events come in bursts: some hours have many, so they count as less than one each.",
        "Look at the hours with many; a part of the traffic, or an incident, may explain them.",
    ),
    "worse-lately": (
        "The last day by itself is beyond the margin, whatever all days come to.",
        "Find out what changed on that day; where it is over, a day more shows it.",
    ),
    "bad-hours": (
        "Above the margin in the hours seen, which are too few to stand for others.",
        "Capture for more hours, or look at what happened in these.",
    ),
    "repeated-inputs": ("Repeated inputs count as less than one pair each.", _NOTHING),
    "not-comparable": ("Some pairs have outputs that cannot be compared.", _OUTPUT),
    "not-applicable": (
        "This metric does not apply to outputs of this kind.",
        "Set predictions.kind and predictions.path if they were read as the wrong kind.",
    ),
    "nothing-comparable": (
        "No pair has two outputs that can be compared.",
        "Set predictions.kind and predictions.path.",
    ),
    "no-captures": (
        "No captured pairs were given.",
        "Give SOURCE, or --production and --shadow.",
    ),
    "output-kind": (
        "What the outputs were read as.",
        "Set predictions.kind or predictions.path if it is wrong.",
    ),
    "output-kind-undecided": (
        "No number or label was found in most outputs, or several numbers were.",
        "Set predictions.path, and predictions.kind where it is not what the number looks like.",
    ),
    "kind-from-policy": ("Outputs are read as predictions.kind says.", _NOTHING),
    **LABEL_CODES,
    **PROMOTION_CODES,
    **REPLAY_CODES,
    **SENDING_CODES,
    # pairs
    "paired-by-payload": (
        "Pairs were found by equal input, nearest in time: weaker than an ID.",
        "Set an InferenceId in the client.",
    ),
    "paired-by-event-id": (
        "Pairs were found by event IDs that both variants share.",
        "Set an InferenceId in the client.",
    ),
    "repeated-inference-ids": (
        "One InferenceId stands for several requests.",
        "Give every request its own InferenceId in the client.",
    ),
    "other-inputs": (
        "Pairs were captured with two different inputs, so they may be of two requests.",
        "Give every request its own InferenceId; check that the shadow receives copies unchanged.",
    ),
    "contradictions": (
        "Records of one event differ; which of them was the answer, nobody can say.",
        "Find out what wrote the event twice; captures of two tests may lie in one prefix.",
    ),
    # what a gate found
    "no-change-observed": (
        "The policy says the model changed, and answers or scores of the shadow are production's.",
        (
            "Check the shadow's model, its captures and predictions.path; where the same model was "
            'deployed on purpose, say change = "infrastructure" in policy.toml.'
        ),
    ),
    # what the policy gives up
    "not-judged": ("The policy gives this metric a weaker role than the default.", _POLICY),
    "tail-p95": ("The policy judges p95, so the slowest 5 % are not judged.", _POLICY),
    "few-days": ("The policy asks for fewer whole days than the default.", _POLICY),
    "weak-bounds": ("The policy lets bounds err more often than the default.", _POLICY),
    "wider-margins": ("The policy allows more harm than the default margins do.", _POLICY),
    "load-accepted": ("The policy has latency judged under unequal load.", _POLICY),
    "rejects-accepted": ("The policy accepts more unusable lines than the default.", _POLICY),
    "coarse-scores": ("The policy takes scores as equal more readily than the default.", _POLICY),
    "unpaired-accepted": ("The policy is content with fewer pairs than the default.", _POLICY),
    "nothing-required": (
        "The policy requires no metric, so nothing was shown.",
        "Give at least one metric the role guardrail.",
    ),
    # exports: what was assumed, and points not used
    "no-usable-points": (
        "The exports hold no point that could be used.",
        "Check the endpoint's and variants' names, and what was dropped and why.",
    ),
    "empty-window": (
        "The time to be judged holds nothing.",
        "Check --since and --until against the time of the captures and exports.",
    ),
    "no-usable-records": (
        "The captures hold no record that could be used.",
        "Check SOURCE, --production and --shadow, and what was rejected and why.",
    ),
    "points-dropped": ("Points of the exports were not used.", _EXPORTER),
    "unit-assumed": (
        "No unit was given; AWS's documented one was taken.",
        "Check that the shown milliseconds are plausible.",
    ),
    "period-inferred": (
        "No period was given; the smallest spacing of the points was taken.",
        "Name the period in the file name or the query.",
    ),
    "statistic-assumed": (
        "No statistic was named; counts are read as Sum, all else as Average.",
        "Name the statistic in the column or the query.",
    ),
    "clock-skew": (
        "The shadow's records are stamped a minute or more apart from production's.",
        "Check the captures are of the same test; where IDs pair, times decide nothing but hours.",
    ),
    "same-lines": (
        "Both variants' captures are the same to the byte.",
        "Check that neither is a copy of the other: a shadow's own answers seldom are.",
    ),
    "naive-time": ("Times without a zone were read as UTC.", "Check that they are UTC."),
    "partial-data": ("CloudWatch did not call these results complete.", "Export them again."),
    "pages-missing": ("The export says that more pages follow.", "Export all pages."),
    "unaligned": ("Times are not multiples of the period and were kept.", _NOTHING),
    "unreadable": (
        "A file could not be read; of a slice, the bin of pairs whose input could not.",
        _FILE,
    ),
    "not-an-export": ("A file is no metric export of a known shape.", _EXPORTER),
    "bad-time": ("A point's time cannot be read.", _EXPORTER),
    "negative-value": ("A point's value is below zero, which no metric has.", _EXPORTER),
    "non-finite": ("A value is not a finite number.", _EXPORTER),
    "other-endpoint": ("It belongs to another endpoint.", _SKIPPED),
    "other-variant": ("It belongs to another variant.", _SKIPPED),
    "other-metric": ("It is a metric that nothing here needs.", _NOTHING),
    "other-statistic": ("It is a statistic that nothing here needs.", _NOTHING),
    "extra-dimensions": ("The series has more dimensions than endpoint and variant.", _EXPORTER),
    "missing-dimensions": ("The series lacks the endpoint's or variant's dimension.", _EXPORTER),
    "unknown-column": ("A column's header names no known metric.", _EXPORTER),
    "unknown-period": ("Nothing tells the series' period.", "Name it in the file name or query."),
    "unnamed-metric": (
        "Nothing tells which metric a result is.",
        "Keep metrics-queries.json beside the answer, or use the label the README shows.",
    ),
    "unnamed-variant": (
        "Nothing tells whose series it is.",
        "Put the variant's name into the file name, or say --cloudwatch shadow=PATH.",
    ),
    **CAPTURE_CODES,
    # how an answer's form changed
    "both-absent": ("Neither variant's output was captured.", _OUTPUT),
    "production-absent": ("Production's output was not captured.", _OUTPUT),
    "shadow-absent": ("The shadow's output was not captured.", _OUTPUT),
    "both-undecodable": ("Neither output can be read.", _OUTPUT),
    "same-undecodable": ("Both outputs are alike and cannot be read.", _OUTPUT),
    "production-undecodable": ("Production's output cannot be read.", _OUTPUT),
    "shadow-undecodable": ("The shadow's output cannot be read.", _OUTPUT),
    "production-non-finite": ("Production's output is not a finite number.", _OUTPUT),
    "row-count": ("The outputs hold different numbers of predictions.", _OUTPUT),
    # what `doctor` finds
    "live": (
        "Captures so new that others of the same minutes may still be on their way.",
        "Nothing; end the window some minutes ago (--until) to have whole minutes.",
    ),
    "problem": ("Why a run would not work, as `doctor` found it.", "Do what it says."),
    # what stops a command
    "ambiguous-metrics": ("The exports do not settle whose they are.", _FLAG),
    "conflicting-points": (
        "Two exports disagree about one point.",
        "Give one export of that series.",
    ),
    "implausible-unit": (
        "A unit or value contradicts its metric.",
        "Export the metric with its own unit.",
    ),
    "endpoint-file": ("endpoint.json cannot be read as an endpoint's description.", _FILE),
    "no-such-bucket": ("There is no bucket of that name.", _FLAG),
    "no-such-file": ("A path does not exist.", _FLAG),
    "no-temporary-folder": ("There is no folder for temporary data.", "Set TMPDIR."),
    "out-of-memory": ("The memory limit was reached.", "Raise it, or judge a shorter window."),
    "captures-changed": (
        "Spark had to read captures again, and they did not read as they did before.",
        "Run again, once nothing writes to the captures or denies them any more.",
    ),
    "spark-unreachable": (
        "Spark's master does not answer, or went away during the run.",
        "Check --master and that the cluster runs, and run again.",
    ),
    "spark-job-failed": ("Spark gave a job up.", "See the log of its executors, and run again."),
    "disk-full": ("The disk is full.", "Free space, or set TMPDIR to a larger disk."),
    "ledger-unbalanced": ("Lines were lost in counting: a fault of this program.", "Report it."),
    "usage-error": ("The command line cannot be meant as it stands.", _FLAG),
    "policy-error": ("policy.toml or a --set has a mistake.", _FILE),
    "input-error": ("The input cannot be judged at all.", "Do what the message says."),
    "access-error": ("Something needed could not be reached.", "Mend access, and run again."),
    "resource-error": ("Disk or memory ran out.", "Give it more, or judge a shorter window."),
    "analyzer-error": ("The command could not go on.", "Do what the message says."),
}
