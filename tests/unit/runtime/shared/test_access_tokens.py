"""Who may ask: bearer token and TLS; and how long we may take to answer."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import ipaddress
import json
import select
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from studio.runtime.shared.access_tokens import Tokens, fingerprint_of, tls_of, tokens_of
from studio.runtime.shared.errors import CannotListen
from tests.unit.runtime.serve import rig

TOKEN = "secret-0123456789"
INFER = "/v2/models/constant/infer"
ENDLESS = 1 << 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    rig.constant(folder / "constant.onnx", 3.0)
    (folder / "token").write_text(TOKEN + "\n")
    certify(folder)
    return folder


def certify(folder: Path) -> bytes:
    """Write a new certificate of this machine and its key; gives the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    return certificate.public_bytes(pem)


@pytest.fixture(scope="module")
def guarded(folder: Path) -> Iterator[rig.ServerProcess]:
    arguments = (f"--model={folder / 'constant.onnx'}", f"--token-file={folder / 'token'}")
    with rig.ServerProcess(*arguments, log=folder / "log") as server:
        yield server


def test_with_the_token(guarded: rig.ServerProcess) -> None:
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.call("POST", INFER, rig.question(), **right)[0] == 200
    assert guarded.call("GET", "/metrics", **right)[0] == 200


@pytest.mark.parametrize(
    "given", [None, "", TOKEN, f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Basic x:y"]
)
def test_without_the_token(guarded: rig.ServerProcess, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    for method, path in (("POST", INFER), ("GET", "/metrics"), ("GET", "/v2"), ("GET", "/none")):
        status, document = guarded.call(method, path, **headers)
        assert (status, document["error"]) == (401, "Missing or invalid bearer token.")


def test_the_challenge_is_named(guarded: rig.ServerProcess) -> None:
    connection = guarded.connect()
    connection.request("GET", "/v2")
    response = connection.getresponse()
    response.read()
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    connection.close()


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready", "/ping"])
def test_probes_need_no_token(guarded: rig.ServerProcess, path: str) -> None:
    assert guarded.get(path)[0] == 200
    assert guarded.call("POST", path)[0] == 401


def test_the_token_of_the_environment(tmp_path: Path) -> None:
    assert tokens_of(None, {}) == ()
    assert tokens_of(None, {"EDGEWRIGHT_TOKEN": "a"}) == ("a",)
    (tmp_path / "token").write_text("b\n")
    assert tokens_of(tmp_path / "token", {"EDGEWRIGHT_TOKEN": "a"}) == ("b",)


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff"])
def test_tokens_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(CannotListen, match="token"):
        tokens_of(tmp_path / "token", {})


def test_tokens_change_with_their_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    tokens = Tokens(file, {})

    def replace(content: str) -> None:
        (tmp_path / "new").write_text(content)
        (tmp_path / "new").replace(file)

    replace("new\nold\n")
    assert tokens.admit("Bearer new")
    assert tokens.admit("Bearer old")
    replace("new\n")
    rig.wait_until(lambda: not tokens.admit("Bearer old"), "the old token has ended")
    assert tokens.admit("Bearer new")
    for nothing in ("", "two words\n"):  # neither everybody nor nobody
        replace(nothing)
        assert not tokens.admit("Bearer other")
        assert not tokens.admit("Bearer ")
        assert tokens.admit("Bearer new")
    file.unlink()
    assert not tokens.admit("Bearer other")
    assert tokens.admit("Bearer new")


def test_every_token_is_compared_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("one\ntwo\n")
    tokens = Tokens(tmp_path / "token", {})
    compared = []
    compare = hmac.compare_digest

    def watched(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return compare(given, known)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    for given, outcome in (("Bearer one", True), ("Bearer two", True), ("x", False)):
        compared.clear()
        assert tokens.admit(given) is outcome
        assert compared == [b"Bearer one", b"Bearer two"]


def test_a_missing_token_file_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    arguments = (f"--model={folder / 'constant.onnx'}", f"--token-file={tmp_path / 'none'}")
    server = rig.ServerProcess(*arguments, log=tmp_path / "log")
    assert server.process.wait(20) == 1
    server.stop()
    assert len(server.log.read_text().splitlines()) == 1


def test_tls(folder: Path, tmp_path: Path) -> None:
    arguments = (
        f"--model={folder / 'constant.onnx'}",
        f"--cert={folder / 'cert.pem'}",
        f"--key={folder / 'key.pem'}",
        "--max-body-mb=1",
    )
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as server:
        assert server.ready["endpoint"].startswith("https://")
        context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
        port = int(server.ready["endpoint"].rpartition(":")[2])
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
        for rows in (1, 2, 20_000):  # the last one comes in many pieces
            connection.request("POST", INFER, json.dumps(rig.question(rows)))
            response = connection.getresponse()
            assert response.status == 200
            assert json.loads(response.read())["outputs"][0]["shape"][0] in (1, rows)
        connection.close()
        plain = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        plain.request("GET", "/v2")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.getresponse()
        plain.close()


def test_the_fingerprint_is_that_of_the_certificate(folder: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())
    assert fingerprint_of(folder / "cert.pem") == hashlib.sha256(der).hexdigest()
    assert fingerprint_of(folder / "token") == ""


def test_a_certificate_that_is_none(folder: Path) -> None:
    assert tls_of(None, None) is None
    with pytest.raises(CannotListen, match="cannot be used"):
        tls_of(folder / "token", folder / "key.pem")
    with pytest.raises(CannotListen, match="cannot be used"):
        tls_of(folder / "none", folder / "key.pem")


def trips(count: int, *, on_a_thread: bool) -> bytes:
    """A request for so many trips: a large one is not read, and so not run, in the event loop."""
    data = {"name": "trips", "datatype": "INT64", "shape": [1], "data": [count]}
    text = json.dumps({"inputs": [data]})
    return text.ljust(20_000 if on_a_thread else 0).encode()


@pytest.mark.slow
def test_an_answer_that_takes_too_long(tmp_path: Path) -> None:
    """Nobody waits for it any more: the run ends, and its thread and processor are free again."""
    model = rig.trips(tmp_path / "trips.onnx")
    path = "/v2/models/trips/infer"
    with rig.ServerProcess(
        f"--model={model}", "--request-seconds=0.5", "--workers=1", log=tmp_path / "log"
    ) as server:
        for _ in range(3):
            status, document = server.call("POST", path, trips(ENDLESS, on_a_thread=True))
            assert (status, document["error"]) == (504, "Inference timed out.")
            status, document = server.call("POST", path, trips(3, on_a_thread=True))
            assert (status, document["outputs"][0]["data"]) == (200, [3])
        rig.wait_until(lambda: rig.rests(server), "the processor is free again")


@pytest.mark.slow
def test_a_client_that_leaves_ends_its_run(tmp_path: Path) -> None:
    model = rig.trips(tmp_path / "trips.onnx")
    with rig.ServerProcess(
        f"--model={model}", "--request-seconds=0", "--workers=1", log=tmp_path / "log"
    ) as server:
        connection = server.connect()
        connection.request("POST", "/v2/models/trips/infer", trips(ENDLESS, on_a_thread=True))
        rig.wait_until(lambda: not rig.rests(server), "the model runs")
        connection.close()
        rig.wait_until(lambda: rig.rests(server), "the processor is free again")


@pytest.mark.slow
def test_a_quick_model_that_does_not_end_stops_nobody_for_long(tmp_path: Path) -> None:
    """It is run in the event loop's own thread, where nothing else happens; but only once."""
    model = rig.trips(tmp_path / "trips.onnx")
    path = "/v2/models/trips/infer"
    with rig.ServerProcess(
        f"--model={model}", "--request-seconds=4", log=tmp_path / "log"
    ) as server:
        assert server.call("POST", path, trips(ENDLESS, on_a_thread=False))[0] == 504
        connection = server.connect()
        connection.request("POST", path, trips(ENDLESS, on_a_thread=False))
        assert server.get("/v2/health/ready")[0] == 200
        assert not select.select([connection.sock], [], [], 0)[0], "the other is not answered yet"
        assert connection.getresponse().status == 504
        connection.close()
        answer = server.call("POST", path, trips(3, on_a_thread=False))[1]
        assert answer["outputs"][0]["data"] == [3]
