"""policy.toml: every mistake is named with its key, and the default text reads back as default."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.errors import PolicyError
from analyzer.metrics import DEFAULTS
from analyzer.model import Role
from analyzer.policy.files import load_policy, parse_policy
from analyzer.policy.text import commented


def write(folder: Path, text: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ('slices."input.a.b"', "input.a.b"),
        ("slices.'input.a=b'", "input.a=b"),
        (" slices . input.7 ", "input.7"),
        ("slices.input.100000", "input.100000"),
    ],
)
def test_the_key_of_an_override_is_read_as_in_toml(key: str, name: str) -> None:
    policy = load_policy(None, DEFAULTS, [f"{key}=categories"])
    assert policy.slices == {name: "categories"}


@pytest.mark.parametrize("override", [f"alpha={'[' * 3_000}", f"{'a.' * 5_000}a=1"])
def test_an_override_nested_too_deeply_is_a_mistake(override: str) -> None:
    with pytest.raises(PolicyError, match="nested more than 64 deep"):
        load_policy(None, DEFAULTS, [override])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[metrics.latncy_p99]\nmargin = 1.2", "metrics.latncy_p99: unknown metric; did you mean"),
        ("[metrics.latency_p99]\nmargn = 1.2", "latency_p99.margn: unknown key; did you mean"),
        ("[metrics.latency_p99]\nmargin = 0.9", "a ratio above 1"),
        ("[metrics.latency_mean]\nmargin = 20", "a ratio such as 1.20 for +20 %"),
        ("[metrics.p99]\nmargin = 1.2", "unknown metric; did you mean 'latency_p99'"),
        ("[sampling]\nshadow_percentage = 0.5", "shadow_percentage: a percentage in 1..100"),
        ("[sampling]\nshadow_percentage = 101", "shadow_percentage: a percentage in 1..100"),
        ("[metrics.error_5xx_rate]\nmargin = -0.001", "a share between 0 and 1"),
        ("[metrics.error_5xx_rate]\nmargin = 1.5", "a share between 0 and 1"),
        ("[metrics.error_5xx_rate]\nmargin_ms = 2", "latency metrics only"),
        ("[metrics.latency_p99]\nmargin = 'wide'", "metrics.latency_p99.margin: "),
        ("[metrics.latency_p50]\nrole = 'guard'", "role"),
        ("metrics = 3", "metrics: expected tables"),
        ("alhpa = 0.1", "alhpa: unknown key; did you mean 'alpha'"),
        ("alpha = 0.7", "alpha"),
        ("alpha = 1e-9", "alpha: input should be greater than or equal to 0.000001"),
        ("alpha = 'x'", "alpha"),
        ("[pairing]\nwindows = 3", "pairing.windows: unknown key; did you mean 'window_s'"),
        ("inference = 'fixed'", "set final = true"),
        ("horizon = 'a week'", "horizon: a length such as"),
        ("horizon = '0d'", "horizon: a length such as"),
        ("horizon = 7", "horizon: "),
        ("[slices]\nhour = 3", "slices.hour: true or false"),
        ("[slices]\nday = true", "slices.day: unknown key; hour, content_type"),
        ('[slices]\n"input.3" = "deciles"', 'slices.input.3: "quantiles" or "categories"'),
        ('[slices]\n"input.0" = "quantiles"', "slices.input.0: columns count from 1"),
        ("[slices]\ninput.99999999999 = 'quantiles'", "columns count from 1 to 100,000"),
        ("[slices]\ninput.100001 = 'quantiles'", "columns count from 1 to 100,000"),
        ('[slices]\n"input.²" = "quantiles"', "columns count from 1 to 100,000"),
        ("slices = 3", "slices: expected a table"),
        (f"alpha = {'[' * 3_000}", "nested more than 64 deep"),
        (f"alpha = {'[' * 100}{']' * 100}", "nested more than 64 deep"),
        (f"{'a.' * 5_000}a = 1", "nested more than 64 deep"),
        ("change = 'weights'", "change"),
        ("[metrics.score_bias]\nrole = 'guardrail'\nmargin = 0.1", "score_bias.role: it only"),
        ("alpha = ", "not valid TOML"),
        ("min_days = true", "min_days: input should be a valid integer, got True"),
        ("min_days = '3'", "min_days: input should be a valid integer, got '3'"),
        ("min_days = 3.0", "min_days: input should be a valid integer"),
        ("min_days = 2026-11-20", "min_days: input should be a valid integer"),
        ("final = 1", "final: input should be a valid boolean, got 1"),
        ("final = 'yes'", "final: input should be a valid boolean"),
        ("alpha = nan", "alpha: "),
        ("alpha = inf", "alpha: "),
        ("[pairing]\nkeys = 'payload'", "pairing.keys: "),
        (
            "[metrics.latency_p99]\nmargin = '1.1'",
            "latency_p99.margin: input should be a valid num",
        ),
        ("[metrics.latency_p99]\nmargin = true", "latency_p99.margin: input should be a valid num"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load_policy(write(tmp_path, text), DEFAULTS)
    assert complaint in str(caught.value)
    assert "policy.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("bogus.key=1", "bogus: unknown key"),
        ("alhpa=1", "alhpa: unknown key; did you mean 'alpha'?"),
        ("alpha=0.7", "alpha: "),
        ("metrics.latncy_p99.margin=1.2", "metrics.latncy_p99: unknown metric; did you mean"),
        ("metrics.latency_p99.margin=0.9", "metrics.latency_p99.margin: a ratio above 1"),
        ("metrics.latency_p99.role=guard", "metrics.latency_p99.role: "),
        ("metrics.cpu_utilization.role=guardrail", "metrics.cpu_utilization: role guardrail needs"),
        ("sampling={shadow_percentage=0.5}", "sampling.shadow_percentage: a percentage"),
        ("inference=fixed", 'inference: "fixed" holds for one look'),
        ("metrics=3", "metrics: expected tables"),
        ("max_line_bytes=true", "max_line_bytes: input should be a valid integer, got True"),
        ("alpha=0,05", "alpha: input should be a valid number, got '0,05'"),
    ],
)
def test_a_mistake_on_the_command_line_is_not_blamed_on_the_file(
    tmp_path: Path, override: str, complaint: str
) -> None:
    path = write(tmp_path, "[metrics.latency_p95]\nmargin = 1.3")
    with pytest.raises(PolicyError) as caught:
        load_policy(path, DEFAULTS, ["alpha=0.04", override, "min_days=2"])
    assert str(caught.value).startswith(f"--set {override}: {complaint}")


def test_a_mistake_in_the_file_is_not_blamed_on_the_command_line(tmp_path: Path) -> None:
    path = write(tmp_path, "[metrics.latency_p99]\nmargin = 0.9")
    with pytest.raises(PolicyError) as caught:
        load_policy(
            path, DEFAULTS, ["metrics.latency_p99.role=review", "metrics.latency_p95.role=off"]
        )
    assert str(caught.value).startswith(f"{path}: metrics.latency_p99.margin: a ratio")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("[metrics.latncy_p99]", "metrics.latncy_p99: unknown metric; did you mean 'latency_p99'?"),
        ("alpha = ", "not valid TOML: "),
        (f"a = {'[' * 100}{']' * 100}", "tables or lists are nested"),
    ],
)
def test_a_mistake_in_a_file_names_it_as_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, complaint: str
) -> None:
    write(tmp_path, body)
    monkeypatch.chdir(tmp_path.parent)
    path = Path(tmp_path.name) / "policy.toml"
    with pytest.raises(PolicyError) as caught:
        load_policy(path, DEFAULTS)
    assert str(caught.value).startswith(f"{tmp_path.name}/policy.toml: {complaint}")


def test_a_missing_file_is_a_policy_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml"):
        load_policy(tmp_path / "nowhere.toml", DEFAULTS)


def test_the_printed_default_reads_back_as_the_default(tmp_path: Path) -> None:
    read = load_policy(write(tmp_path, commented(DEFAULTS)), DEFAULTS)
    default = load_policy(None, DEFAULTS)
    assert read == default


def test_the_printed_default_says_units_and_roles() -> None:
    text = commented(DEFAULTS)
    for role in Role:
        assert f"#   {role.value} " in text
    assert "1.20 allows +20 %" in text
    assert "0.001 = 0.1 pp" in text
    for metric, default in DEFAULTS.items():
        table = text.split(f"[metrics.{metric}]")[1].split("[metrics.")[0]
        assert default.scale in table or not default.judged


@pytest.mark.parametrize(("margin", "accepted"), [(3, True), (3.01, False)])
def test_a_ratio_of_three_is_the_largest_margin(*, margin: float, accepted: bool) -> None:
    given = {"metrics": {"latency_mean": {"margin": margin}}}
    if accepted:
        assert parse_policy(given, DEFAULTS).metrics["latency_mean"].margin == margin
    else:
        with pytest.raises(PolicyError, match="a ratio such as"):
            parse_policy(given, DEFAULTS)


def test_an_infrastructure_change_tightens_predictions() -> None:
    model = parse_policy({}, DEFAULTS).metrics["flip_rate"]
    infrastructure = parse_policy({"change": "infrastructure"}, DEFAULTS).metrics["flip_rate"]
    assert (model.role, model.margin) == (Role.REVIEW, 0.05)
    assert (infrastructure.role, infrastructure.margin) == (Role.GUARDRAIL, 0.005)
    assert (model.required, infrastructure.required) == (False, True)


def test_a_metric_taken_out_is_no_longer_required() -> None:
    policy = load_policy(None, DEFAULTS, ["metrics.latency_p99.role=evidence"])
    rule = policy.metrics["latency_p99"]
    assert (rule.role, rule.required, rule.source) == (Role.EVIDENCE, False, "policy")


@pytest.mark.parametrize("metric", ["flip_rate", "output_mismatch_share", "cpu_utilization"])
def test_a_guardrail_that_only_the_policy_asks_for_is_required(metric: str) -> None:
    margin = 1.2 if metric == "cpu_utilization" else 0.01
    given = {metric: {"role": "guardrail", "margin": margin}}
    assert parse_policy({"metrics": given}, DEFAULTS).metrics[metric].required


def test_a_ratio_given_alone_drops_the_default_milliseconds() -> None:
    policy = load_policy(None, DEFAULTS, ["metrics.latency_p99.margin=1.05"])
    assert policy.metrics["latency_p99"].margin_ms is None


def test_an_override_must_be_an_assignment() -> None:
    with pytest.raises(PolicyError, match="expected KEY=VALUE"):
        load_policy(None, DEFAULTS, ["alpha"])


def test_the_digest_follows_every_value() -> None:
    first = load_policy(None, DEFAULTS)
    assert first.digest == load_policy(None, DEFAULTS).digest
    assert first.digest != load_policy(None, DEFAULTS, ["alpha=0.04"]).digest


@pytest.mark.parametrize(
    ("horizon", "minutes"), [("7d", 10_080), ("36h", 2_160), ("90m", 90), (None, None)]
)
def test_a_horizon_is_days_hours_or_minutes(horizon: str | None, minutes: float | None) -> None:
    body = {} if horizon is None else {"horizon": horizon}
    assert parse_policy(body, DEFAULTS).horizon_minutes == minutes


def test_a_promise_of_one_look_allows_fixed_intervals() -> None:
    policy = parse_policy({"inference": "fixed", "final": True}, DEFAULTS)
    assert policy.inference == "fixed"
