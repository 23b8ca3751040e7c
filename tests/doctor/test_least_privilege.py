"""The smallest policy: it lets exactly the asked-for captures be read."""

from __future__ import annotations

import pytest

from analyzer.doctor.least_privilege import Reading, policy
from tests.doctor.policy_evaluator import allows

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
POINT = "arn:aws:s3:eu-west-1:123456789012:accesspoint/captures"


def of(bucket: str, prefix: str, **more: object) -> dict[str, object]:
    return policy([Reading(bucket, prefix, prefix, **more)])  # type: ignore[arg-type]


def test_a_prefix_is_granted_and_nothing_beside_it() -> None:
    document = of("b", "captures/churn/")
    for asked in ("captures/churn", "captures/churn/", "captures/churn/AllTraffic/2026/"):
        assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix=asked)
    for asked in ("", "captures/", "captures/churn-2/", "captures/churned"):
        assert not allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix=asked)
    assert not allows(document, "s3:ListBucket", "arn:aws:s3:::b")
    assert not allows(document, "s3:ListBucket", "arn:aws:s3:::c", s3__prefix="captures/churn/")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/captures/churn/a.jsonl")
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::b/captures/churn-2/a.jsonl")
    assert not allows(document, "s3:PutObject", "arn:aws:s3:::b/captures/churn/a.jsonl")
    assert not allows(document, "kms:Decrypt", KEY, kms__ViaService="s3.eu-west-1.amazonaws.com")


def test_a_whole_bucket_needs_no_condition() -> None:
    document = of("b", "")
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="any/")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/any/key")
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::c/any/key")


def test_one_object_is_granted_alone() -> None:
    document = of("b", "flat/a.jsonl")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/flat/a.jsonl")
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::b/flat/a.jsonl.gz")
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="flat/a.jsonl")
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="flat/a.jsonl/")


@pytest.mark.parametrize("odd", ["a*b/", "a?b/", "a$b/", "${aws:username}/"])
def test_wildcards_and_variables_in_a_prefix_stand_for_themselves(odd: str) -> None:
    document = of("b", odd)
    assert allows(document, "s3:GetObject", f"arn:aws:s3:::b/{odd}x.jsonl")
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix=odd)
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::b/aXb/x.jsonl")
    assert not allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="aXb/")


def test_a_key_may_decrypt_by_way_of_s3_alone() -> None:
    document = of("b", "p/", region="eu-west-1", kms_keys=(KEY,))
    assert allows(document, "kms:Decrypt", KEY, kms__ViaService="s3.eu-west-1.amazonaws.com")
    assert not allows(document, "kms:Decrypt", KEY, kms__ViaService="ec2.eu-west-1.amazonaws.com")
    assert not allows(document, "kms:Decrypt", KEY)
    assert not allows(
        document, "kms:Decrypt", KEY[:-1] + "0", kms__ViaService="s3.eu-west-1.amazonaws.com"
    )


def test_a_key_that_nobody_named_is_any_key_of_the_region_by_way_of_s3() -> None:
    document = of("b", "p/", region="eu-west-1", kms_keys=("",))
    assert allows(document, "kms:Decrypt", KEY, kms__ViaService="s3.eu-west-1.amazonaws.com")
    elsewhere = KEY.replace("eu-west-1", "us-east-1")
    assert not allows(
        document, "kms:Decrypt", elsewhere, kms__ViaService="s3.eu-west-1.amazonaws.com"
    )


def test_other_parts_of_aws_have_their_own_names() -> None:
    key = "arn:aws-cn:kms:cn-north-1:123456789012:key/1"
    document = of("b", "p/", partition="aws-cn", region="cn-north-1", kms_keys=(key,))
    assert allows(document, "s3:GetObject", "arn:aws-cn:s3:::b/p/x")
    assert allows(document, "kms:Decrypt", key, kms__ViaService="s3.cn-north-1.amazonaws.com.cn")


@pytest.mark.parametrize("spelling", [POINT, POINT.replace("accesspoint/", "accesspoint:")])
def test_an_access_point_is_named_by_its_own_arn(spelling: str) -> None:
    document = of(spelling, "p/")
    assert allows(document, "s3:ListBucket", POINT, s3__prefix="p/")
    assert allows(document, "s3:GetObject", f"{POINT}/object/p/a.jsonl")
    assert not allows(document, "s3:GetObject", f"{POINT}/object/q/a.jsonl")


def test_two_places_are_both_granted_and_not_mixed() -> None:
    document = policy([Reading("b", "new/", "new"), Reading("c", "old/", "old", kms_keys=(KEY,))])
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/new/x")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::c/old/x")
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::b/old/x")
    assert not allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="old/")
    sids = [one["Sid"] for one in document["Statement"]]
    assert len(sids) == len(set(sids)) == 5
    assert all(sid.isalnum() for sid in sids)


def test_two_prefixes_of_one_bucket_share_a_statement() -> None:
    document = policy([Reading("b", "new/", "new"), Reading("b", "old/", "old")])
    assert len(document["Statement"]) == 2
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="old/2026/")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/new/x")


def test_the_spelling_that_was_asked_for_may_be_tried() -> None:
    document = policy([Reading("b", "captures//churn/", "captures/churn")])
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="captures/churn/")
    assert allows(document, "s3:ListBucket", "arn:aws:s3:::b", s3__prefix="captures//churn/x/")
    assert not allows(document, "s3:GetObject", "arn:aws:s3:::b/captures/churn/x")
    assert allows(document, "s3:GetObject", "arn:aws:s3:::b/captures//churn/x")
