"""The codes of a promotion: what is said before a verdict is carried out, and what stops it.

In: meaning and what to do. Out: all other codes (`note_codes`).
"""

from __future__ import annotations

_AGAIN = "Run the analysis again over a window in which the endpoint ran as it does now."
_CHOOSE = "Nothing if it was meant; otherwise choose with --instances."

PROMOTION_CODES: dict[str, tuple[str, str]] = {
    # what to know before
    "begun": (
        "--apply began this plan and did not finish it; parts of it are so already.",
        "Give the same command with --apply: it goes on from there.",
    ),
    "forced-decision": (
        "A verdict that is no PROMOTE is carried out because it was named.",
        "Nothing if it was meant.",
    ),
    "shadow-below-100": (
        "The shadow was not sent every request, so it never carried production's load.",
        "Set the shadow to 100 % and let the test run on, as AWS advises.",
    ),
    "unequal-instances": (
        "The variants run on other instances, or other numbers of them.",
        "Nothing if instances are what is tested; otherwise make them equal and test again.",
    ),
    "other-instances": (
        "The promoted variant will not run on the instances it was judged on.",
        _CHOOSE,
    ),
    "not-production-instances": (
        "AWS recommends production's instances unless instances are what is tested.",
        _CHOOSE,
    ),
    "scaling-not-described": (
        "Nobody asked what scales the variants, so no request about it is in the plan.",
        "Plan without --endpoint-file, or add the describe answers to the file.",
    ),
    "aws-tags": ("Tags that AWS itself made cannot be copied.", "Nothing."),
    "no-guardrails": (
        "AWS shifts no traffic step by step here, and rolls nothing back.",
        "Watch the endpoint yourself while it changes.",
    ),
    "one-instance": (
        "One instance cannot be split, so all traffic moves at once.",
        "Choose two or more with --instances TYPE:COUNT to have a canary.",
    ),
    "no-alarms": (
        "The verdict holds no level and margin from which to make a rollback alarm.",
        "Watch the endpoint yourself while it changes.",
    ),
    # what the verdict may not be about
    "no-endpoint": (
        "The verdict does not say which endpoint it is about.",
        "Name it to the run with --endpoint, or force the decision by name.",
    ),
    "other-endpoint": ("The verdict is about another endpoint.", "Name that endpoint."),
    "other-variants": ("The endpoint's variants are not the ones that were judged.", _AGAIN),
    "other-model": ("A variant runs another model than the one that was judged.", _AGAIN),
    "changed-since": ("The endpoint was changed after the window began.", _AGAIN),
    "model-made-again": (
        "A model of that name was created after the window began; what was judged is gone.",
        _AGAIN,
    ),
    # what stops a plan, or ends its sending
    "variants": (
        "The endpoint does not have one production and one shadow variant with a model each.",
        "Only such an endpoint can be changed by a verdict.",
    ),
    "unknown-fields": (
        "The configuration has fields that this botocore does not know and would lose.",
        "Upgrade boto3, and run again.",
    ),
    "instance-pools": (
        "Production's instance pools name models, which would go on serving.",
        "Choose --instances shadow or TYPE:COUNT.",
    ),
    "instance-type": (
        "A managed test runs on instances of one type, and a variant has none.",
        "Choose --instances TYPE:COUNT.",
    ),
    "not-in-service": (
        "The endpoint is being changed at this moment.",
        "Wait until it is InService, and run again.",
    ),
    "other-configuration": (
        "The endpoint runs neither what the plan was made for nor what it makes.",
        "Look who changed it; delete the begun plan beside the bundle, and plan again.",
    ),
    "rolled-back": (
        "The deployment was rolled back, or never began; scaling is as it was.",
        "See which alarm went off, then run again.",
    ),
    "deployment-failed": (
        "The endpoint is in a state that AWS leaves only by a person's hand.",
        "Follow AWS's advice for that state, then run again.",
    ),
    "not-in-time": (
        "The deployment takes longer than it may.",
        "Run the same command again to go on waiting.",
    ),
    "not-found": ("AWS knows no such thing.", "Check the name, the account and the region."),
    "not-known": (
        "A request failed in a way that does not tell whether AWS carried it out.",
        "Run the same command again: it looks, and goes on or undoes.",
    ),
    "refused": ("AWS refused a request.", "Do what the message says, and run again."),
}
