"""Replays to a web server: what it is sent, and every way it can answer or fail to."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analyzer.errors import AccessError, InputError, UsageError
from analyzer.replay import Replay
from analyzer.replay.requests import read_request
from analyzer.replay.targets import MOST_BYTES
from analyzer.replay.targets.web import WebServer
from tests.replay.replays import (
    START,
    answer_to,
    line,
    outputs,
    production_model,
    records,
    replayed,
    replayed_as,
    serving,
    sidecar_rows,
    write_captures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.replay.replays import Behave, Handler


def captures(tmp_path: Path, requests: int) -> Path:
    return write_captures(tmp_path / "captures", [line(number) for number in range(requests)])


def outcome_of(behave: Behave, *, timeout_s: float = 5.0) -> tuple[int | None, str | None]:
    """Status and error code of one request."""
    with serving(behave) as server:
        target = WebServer(server.url, "--candidate", allow_insecure=False, timeout_s=timeout_s)
        with closing(target):
            answer = target.send(read_request(line(1).encode()))
        assert len(server.seen) == 1
    return answer.status, answer.error_code


def test_a_server_is_sent_the_captured_request_and_the_contracts_headers(tmp_path: Path) -> None:
    text = line(7, data=b"\x00\xff", encoding="BASE64", content_type="application/x-npy",
                meta={"customAttributes": ["accept_eula=true"]})  # fmt: skip
    folder = write_captures(tmp_path / "captures", [text])
    with serving(lambda handler, _: handler.answer(200, b"1")) as server:
        replayed(folder, tmp_path / "out", f"{server.url}/invocations")
        (seen,) = server.seen
    assert seen.path == "/invocations"
    assert seen.body == b"\x00\xff"
    assert seen.headers == {
        "Host": server.url.removeprefix("http://"),
        "Accept-Encoding": "identity",
        "Content-Length": "2",
        "Content-Type": "application/x-npy",
        "Accept": "text/csv",
        "X-Amzn-SageMaker-Inference-Id": "request 7",
        "X-Amzn-SageMaker-Custom-Attributes": "accept_eula=true",
    }


def test_a_model_replayed_against_itself_gives_the_captured_texts(tmp_path: Path) -> None:
    lines = [line(number) for number in range(100)]
    folder = write_captures(tmp_path / "captures", lines)
    with serving(production_model) as server:
        summary = replayed(folder, tmp_path / "out", server.url)
        assert len(server.seen) == 100
    assert summary.state == "complete"
    assert summary.variants["candidate"].usable == 100
    original = {read_request(one.encode()).event_id: one for one in lines}
    written = records(tmp_path / "out")
    assert [one["eventMetadata"]["inferenceTime"] for one in written] == [
        read_request(one.encode()).time for one in lines
    ]
    for one in written:
        assert one == json.loads(original[one["eventMetadata"]["eventId"]])


def test_records_stand_in_the_hour_they_were_captured_in(tmp_path: Path) -> None:
    with serving(production_model) as server:
        replayed(captures(tmp_path, 62), tmp_path / "out", server.url)
    hours = sorted(path.parent.name for path in (tmp_path / "out/churn").rglob("*.jsonl"))
    assert hours == ["09", "10"]


def test_baseline_and_candidate_get_the_same_requests_in_drawn_turns(tmp_path: Path) -> None:
    with serving(production_model) as server, serving(production_model) as other:
        replayed_as(
            Replay(str(captures(tmp_path, 200)), server.url, tmp_path / "out", other.url,
                   speed="2000/s", concurrency=4)
        )  # fmt: skip
    candidate, baseline = (sidecar_rows(tmp_path / "out", one) for one in ("candidate", "baseline"))
    assert candidate["event_id"].to_list() == baseline["event_id"].to_list()
    assert candidate["order"].to_list() == baseline["order"].to_list() == list(range(200))
    first = (candidate["intended_at"] < baseline["intended_at"]).sum()
    assert 70 <= first <= 130
    assert outputs(tmp_path / "out") == outputs(tmp_path / "out", "baseline")


def test_every_tenth_500_is_an_outcome_and_the_rest_goes_on(tmp_path: Path) -> None:
    def failing(handler: Handler, body: bytes) -> None:
        if int(body.partition(b",")[0]) % 10 == 0:
            handler.answer(500, b"Traceback: secret payload")
        else:
            production_model(handler, body)

    with serving(failing) as server:
        summary = replayed(captures(tmp_path, 100), tmp_path / "out", server.url)
    one = summary.variants["candidate"]
    assert (one.sent, one.usable) == (100, 90)
    assert one.errors == {"status": 10}
    assert one.statuses == {"200": 90, "500": 10}
    rows = sidecar_rows(tmp_path / "out")
    assert set(rows.filter(rows["status"] == 500)["error_text"]) == {"status 500"}
    # What a failing server says may quote anything: it is nowhere.
    kept = [path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not any(b"secret payload" in data for data in kept)
    without = [
        one for one in records(tmp_path / "out") if "endpointOutput" not in one["captureData"]
    ]
    assert len(without) == 10
    assert len(records(tmp_path / "out")) == 100


@pytest.mark.parametrize("status", [200, 204])
def test_an_answer_without_a_body_is_a_failure_and_usable_for_nothing(
    tmp_path: Path, status: int
) -> None:
    with serving(lambda handler, _: handler.answer(status, b"")) as server:
        summary = replayed(captures(tmp_path, 20), tmp_path / "out", server.url)
    done = summary.variants["candidate"]
    assert (done.usable, done.errors) == (0, {"empty-answer": 20})
    assert done.said == {"empty-answer": f"status {status} without a body"}
    assert summary.unanswered
    written = [one["captureData"] for one in records(tmp_path / "out")]
    assert [set(one) for one in written] == [{"endpointInput"}] * 20


def test_a_redirect_is_an_outcome_and_is_not_followed() -> None:
    with serving(production_model) as elsewhere:

        def redirecting(handler: Handler, _: bytes) -> None:
            handler.answer(307, b"", Location=f"{elsewhere.url}/invocations")

        assert outcome_of(redirecting) == (307, "status")
        assert elsewhere.seen == []


def test_an_answer_longer_than_the_cap_is_not_taken() -> None:
    assert outcome_of(lambda h, _: h.answer(200, b"x" * MOST_BYTES)) == (200, None)
    assert outcome_of(lambda h, _: h.answer(200, b"x" * (MOST_BYTES + 1))) == (200, "too-large")


def test_an_answer_without_an_end_is_cut_at_the_cap() -> None:
    def endless(handler: Handler, _: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65536)

    assert outcome_of(endless) == (200, "too-large")


def test_a_connection_closed_before_the_answer_is_an_outcome() -> None:
    def leaving(handler: Handler, _: bytes) -> None:
        handler.close_connection = True

    def half(handler: Handler, _: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
        handler.close_connection = True

    assert outcome_of(leaving) == (None, "connection")
    # A body that breaks off is no answer of its status.
    assert outcome_of(half) == (None, "connection")


def test_what_is_no_http_is_an_outcome() -> None:
    def babbling(handler: Handler, _: bytes) -> None:
        handler.wfile.write(b"SSH-2.0-x\r\n")
        handler.close_connection = True

    assert outcome_of(babbling) == (None, "bad-answer")


def test_silence_and_a_trickle_are_both_timeouts() -> None:
    ended = threading.Event()

    def silent(_handler: Handler, _: bytes) -> None:
        ended.wait(10)

    def trickling(handler: Handler, _: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not ended.wait(0.05):
            handler.wfile.write(b"x")

    try:
        assert outcome_of(silent, timeout_s=0.3) == (None, "timeout")
        with serving(trickling) as server:
            target = WebServer(server.url, "--candidate", allow_insecure=False, timeout_s=0.3)
            answers = []
            request = read_request(line(1).encode())
            sender = threading.Thread(target=lambda: answers.append(target.send(request)))
            sender.start()
            while sender.is_alive():
                target.expire(time.monotonic())
                sender.join(0.02)
        assert [answer.error_code for answer in answers] == ["timeout"]
    finally:
        ended.set()


def test_a_connection_is_used_again_and_a_closed_one_is_noticed() -> None:
    ports = []

    def behave(handler: Handler, _: bytes) -> None:
        ports.append(handler.client_address[1])
        handler.answer(200, b"1")
        if len(ports) == 2:
            handler.close_connection = True  # without saying so, as an idle server does

    request = read_request(line(1).encode())
    with (
        serving(behave) as server,
        closing(WebServer(server.url, "--candidate", allow_insecure=False)) as target,
    ):
        for _ in range(2):
            assert target.send(request).error_code is None
        (connection,) = target._idle  # noqa: SLF001 - to wait for the server's end, not for a time
        while connection.is_open():
            time.sleep(0.01)
        assert target.send(request).error_code is None
    assert ports[0] == ports[1] != ports[2]


def test_a_stalled_server_shows_in_the_response_time_of_all_that_were_due(tmp_path: Path) -> None:
    stalled = threading.Event()

    def stalling(handler: Handler, body: bytes) -> None:
        if not stalled.is_set():
            stalled.set()
            time.sleep(1.0)
        production_model(handler, body)

    with serving(stalling) as server:
        summary = replayed(
            captures(tmp_path, 100), tmp_path / "out", server.url, speed="200/s", concurrency=1
        )
    one = summary.variants["candidate"]
    # One request was slow, so service time hides it; the 99 behind it were due and waited.
    assert one.service_ms["p50"] < 100
    assert one.response_ms["p50"] > 5 * one.service_ms["p50"]
    assert one.late > 0.9 * (one.sent - one.warm_up)
    rows = sidecar_rows(tmp_path / "out")
    assert rows["intended_at"].diff().drop_nulls().dt.total_microseconds().unique().to_list() == [
        5000
    ]


def test_a_slow_answer_delays_no_other_while_a_thread_is_free(tmp_path: Path) -> None:
    def slow_once(handler: Handler, body: bytes) -> None:
        if body.startswith(b"0,"):
            time.sleep(1.0)
        production_model(handler, body)

    with serving(slow_once) as server:
        replayed(captures(tmp_path, 40), tmp_path / "out", server.url, speed="100/s", concurrency=4)
    rows = sidecar_rows(tmp_path / "out")
    slow, others = rows[0], rows[1:]
    assert (slow["done_at"] > others["sent_at"].max()).all()


def test_warm_up_is_counted_and_left_out(tmp_path: Path) -> None:
    with serving(production_model) as server:
        summary = replayed(captures(tmp_path, 110), tmp_path / "out", server.url)
    assert summary.variants["candidate"].warm_up == 3
    assert sidecar_rows(tmp_path / "out")["warm_up"].to_list() == [True] * 3 + [False] * 107


def test_every_line_is_in_the_summary(tmp_path: Path) -> None:
    lines = [line(1), line(1), "{", "", line(2, content_type="a\nb"), line(3), line(4)]
    folder = write_captures(tmp_path / "captures", lines)
    with serving(production_model) as server:
        until = f"{START.replace(second=4):%Y-%m-%dT%H:%M:%SZ}"
        asked = Replay(str(folder), server.url, tmp_path / "out", speed="max", until=until)
        counts = replayed_as(asked).counts
    assert counts == {
        "lines": 7, "blank": 1, "not-json": 1, "bad-header": 1, "duplicate": 1,
        "out-of-window": 1, "requests": 2,
    }  # fmt: skip
    assert counts["lines"] == sum(counts.values()) - counts["lines"]


def test_a_server_that_is_not_well_is_sent_nothing(tmp_path: Path) -> None:
    folder = captures(tmp_path, 3)
    with serving(production_model, ping_status=503) as server:
        with pytest.raises(AccessError, match="/ping answered 503"):
            replayed(folder, tmp_path / "out", server.url)
        assert server.seen == []
    with pytest.raises(AccessError, match="/ping: Connection refused"):
        replayed(folder, tmp_path / "out2", server.url)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://169.254.169.254/latest", "link-local"),
        ("http://[fe80::1]:8080", "link-local"),
        ("http://[::ffff:169.254.169.254]", "link-local"),
        ("http://[fd00:ec2::254]", "link-local"),
        ("https://169.254.170.2", "link-local"),
        ("https://[fd00:ec2::23]", "link-local"),
        ("https://[64:ff9b::a9fe:a9fe]", "link-local"),
        ("https://[2002:a9fe:a9fe::1]", "link-local"),
        ("http://[2002:7f00:1::1]", "unencrypted"),
        ("http://127.0.0.1:1/\u00e9", "percent-encoded"),
        ("http://127.0.0.1:1/a b", "percent-encoded"),
        ("http://127.0.0.1:1/a\nb", "percent-encoded"),
        ("http://127.0.0.1:1/a\x7fb", "percent-encoded"),
        ("http://10.0.0.1:8080", "unencrypted"),
        ("http://0.0.0.0:8080", "no server's address"),
        ("http://224.0.0.1", "no server's address"),
        ("http://user:secret@127.0.0.1", "credentials in a URL"),
        ("http://127.0.0.1/?token=secret", "expected such as"),
        ("http://127.0.0.1:99999", "range"),
        ("ftp://127.0.0.1", "expected http"),
        ("gopher", "expected http"),
        ("sagemaker:no_such name", "expected sagemaker"),
        ("python:json", "expected python"),
        ("python:json:nothing", "no function"),
        ("python:no_such_module_at_all:f", "cannot be imported"),
    ],
)  # fmt: skip
def test_what_must_not_be_talked_to_is_refused_before_anything_is_read(
    tmp_path: Path, url: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as raised:
        replayed(tmp_path / "no captures", tmp_path / "out", url)
    assert "secret" not in str(raised.value)


def test_another_machine_may_be_asked_when_it_is_meant() -> None:
    WebServer("http://10.0.0.1:8080", "--candidate", allow_insecure=True)
    WebServer("https://10.0.0.1", "--candidate", allow_insecure=False)
    with pytest.raises(UsageError, match="link-local"):
        WebServer("http://169.254.169.254", "--candidate", allow_insecure=True)


def test_a_name_keeps_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: str, *rest: object, **more: object) -> Iterator[object]:
        asked.append(host)
        found = "127.0.0.1" if host == "model.test" and len(asked) == 1 else host
        return real(found, *rest, **more)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with serving(production_model) as server:
        url = server.url.replace("127.0.0.1", "model.test")
        with closing(WebServer(url, "--candidate", allow_insecure=False)) as target:
            target.check()
            assert target.send(read_request(line(1).encode())).status == 200
        assert server.seen[0].headers["Host"] == url.removeprefix("http://")
    assert asked.count("model.test") == 1


def test_a_folder_with_two_variants_asks_which_is_production(tmp_path: Path) -> None:
    folder = captures(tmp_path, 3)
    other = folder / "churn/other/2026/11/20/09"
    other.mkdir(parents=True)
    (other / "a.jsonl").write_text(line(99) + "\n")
    with serving(production_model) as server:
        with pytest.raises(UsageError, match="AllTraffic, other; choose with --production"):
            replayed(folder, tmp_path / "out", server.url)
        chosen = Replay(str(folder), server.url, tmp_path / "out", production="other")
        assert replayed_as(chosen).counts["requests"] == 1
    assert outputs(tmp_path / "out").popitem()[1] == answer_to("99,")


def test_a_flat_file_is_replayed_too(tmp_path: Path) -> None:
    (tmp_path / "flat.jsonl").write_text(line(5) + "\n")
    with serving(production_model) as server:
        replayed(tmp_path / "flat.jsonl", tmp_path / "out", server.url)
    (written,) = (tmp_path / "out/endpoint/candidate").rglob("*.jsonl")
    assert "0.5" in written.read_text()


def test_captures_without_any_request_are_an_input_error(tmp_path: Path) -> None:
    folder = write_captures(tmp_path / "captures", ["{"])
    with serving(production_model) as server, pytest.raises(InputError, match="1 not-json"):
        replayed(folder, tmp_path / "out", server.url)


def test_an_object_that_cannot_be_read_is_counted_and_the_others_are_sent(tmp_path: Path) -> None:
    folder = captures(tmp_path, 3)
    (folder / "churn/AllTraffic/2026/11/20/09/b.jsonl.gz").write_bytes(b"\x1f\x8b\x08\x00 cut")
    with serving(production_model) as server:
        summary = replayed(folder, tmp_path / "out", server.url)
    assert summary.counts["requests"] == 3
    assert summary.objects_failed == {"corrupt-gzip": 1}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost that nobody has signed but itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_https_is_spoken_to_whom_the_certificate_names_and_nobody_else(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = captures(tmp_path, 20)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    ports = set()

    def behave(handler: Handler, body: bytes) -> None:
        ports.add(handler.client_address[1])
        production_model(handler, body)

    with serving(behave, tls=tls) as server:
        url = f"https://localhost:{server.server_address[1]}"
        with pytest.raises(AccessError, match="TLS: self-signed certificate"):
            replayed(folder, tmp_path / "unknown", url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(AccessError, match="TLS: IP address mismatch"):
            replayed(folder, tmp_path / "other", url.replace("localhost", "127.0.0.1"))
        assert server.seen == []
        summary = replayed(folder, tmp_path / "out", url, concurrency=1)
    assert summary.variants["candidate"].usable == 20
    assert len(ports) == 1  # the connection is kept, tickets and all
