"""Token and certificate of a target: made, changed under load, taken back with a release."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from studio.packages import Bundle
from studio.runtime.release.server import certificate
from studio.runtime.release.server.server_control import Server
from studio.runtime.serve.statistics.expiry import ExpiryMonitor
from studio.runtime.shared.access_tokens import fingerprint_of
from studio.runtime.shared.files import write_atomically
from studio.runtime.shared.link import WrongCertificate, authorization, connect
from tests.rigs.boards import until
from tests.rigs.bundles import make_bundle
from tests.rigs.load import Load
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.slow

NEW = {"token": "new", "tls": "on"}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Versions 1 and 2."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(version), version) for version in (1, 2)]


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def certify(board: Machine) -> dict[str, Any]:
    return board.ok("certify", names=["127.0.0.1", "localhost"])


def deploy(board: Machine, bundle: Bundle, **request: Any) -> dict[str, Any]:
    board.ready(bundle)
    try:
        return board.ok("switch", release=bundle.digest, soak_s=0, **request)
    finally:
        board.ok("end")
        board.token = ""


def report(board: Machine) -> dict[str, Any]:
    return Server(board.layout).report()


def status(board: Machine, token: str) -> int:
    """Of one request with a token, over whatever the report says."""
    link = connect(report(board), "127.0.0.1", report(board)["port"], 10)
    link.request("GET", "/v2", headers=dict(authorization(token)))
    try:
        return link.getresponse().status
    finally:
        link.close()


def test_token_and_certificate_are_made_on_the_target(
    board: Machine, bundles: list[Bundle]
) -> None:
    made = certify(board)
    assert made["made"] == "here"
    done = deploy(board, bundles[0], access=NEW)
    secret = done["secret"]
    assert len(secret) >= 40
    assert (done["scheme"], done["token_required"]) == ("https", True)
    assert done["fingerprint"] == made["fingerprint"] == fingerprint_of(board.layout.certificate)
    assert [status(board, one) for one in (secret, "", secret[:-1])] == [200, 401, 401]
    for path in (board.layout.token, board.layout.certificate):
        assert path.stat().st_mode & 0o777 == 0o600
    assert board.layout.access.stat().st_mode & 0o777 == 0o700
    assert certify(board)["made"] == "kept"
    told = [board.layout.log, board.layout.state, board.layout.server, board.layout.service]
    logs = [path for path in (board.layout.server_log,) if path.exists()]
    assert all(secret not in path.read_text() for path in told + logs)
    command = Path(f"/proc/{report(board)['pid']}/cmdline").read_bytes()
    assert secret.encode() not in command


def test_a_client_that_knows_the_certificate_by_name(board: Machine, bundles: list[Bundle]) -> None:
    certify(board)
    secret = deploy(board, bundles[0], access=NEW)["secret"]
    context = ssl.create_default_context(cafile=str(board.layout.certificate))
    for name in ("localhost", "127.0.0.1"):
        asked = urllib.request.Request(
            f"https://{name}:{report(board)['port']}/v2", headers=dict(authorization(secret))
        )
        with urllib.request.urlopen(asked, timeout=10, context=context) as answer:
            assert answer.status == 200


def test_a_certificate_near_its_end_is_renewed_by_the_same_release(
    board: Machine, bundles: list[Bundle]
) -> None:
    certify(board)
    secret = deploy(board, bundles[0], access=NEW)["secret"]
    old = report(board)
    first, _, rest = board.layout.certificate.read_text().partition("\n")
    mark, _, facts = first.partition(" ")
    near = {**json.loads(facts), "until": time.time() + 20 * 86400}
    write_atomically(board.layout.certificate, f"{mark} {json.dumps(near)}\n{rest}".encode(), 0o600)
    assert certify(board)["made"] == "here"
    done = deploy(board, bundles[0])
    assert done["state"] == "active"
    assert done["fingerprint"] == report(board)["fingerprint"] != old["fingerprint"]
    assert status(board, secret) == 200, "the token stays"
    assert ExpiryMonitor(board.layout.certificate).to_json()["certificate_days"] > 800
    assert certify(board)["made"] == "kept"


def test_another_certificate_is_not_spoken_to(board: Machine, bundles: list[Bundle]) -> None:
    certify(board)
    deploy(board, bundles[0], access=NEW)
    lie = {**report(board), "fingerprint": "0" * 64}
    link = connect(lie, "127.0.0.1", lie["port"], 10)
    with pytest.raises(WrongCertificate, match="another certificate"):
        link.request("GET", "/v2", headers={"Authorization": "Bearer secret"})


def test_what_was_set_stays_until_it_is_changed(board: Machine, bundles: list[Bundle]) -> None:
    certify(board)
    secret = deploy(board, bundles[0], access=NEW)["secret"]
    second = deploy(board, bundles[1])
    assert "secret" not in second
    assert (second["scheme"], status(board, secret)) == ("https", 200)
    board.ok("rollback", soak_s=0)
    assert (status(board, secret), status(board, "")) == (200, 401)
    board.ok("stop")
    board.ok("start")
    assert (status(board, secret), status(board, "")) == (200, 401)
    open_again = deploy(board, bundles[1], access={"token": "none", "tls": "none"})
    assert (open_again["scheme"], open_again["token_required"]) == ("http", False)
    assert status(board, "") == 200
    assert not board.layout.token.exists()
    assert not board.layout.certificate.exists()


class Rotation:
    """A switch that is watched: its clients take the new token when the soak begins."""

    def __init__(self, board: Machine, old: str) -> None:
        self._board = board
        self.token = old

    def headers(self) -> Mapping[str, str]:
        return authorization(self.token)

    def run(self, **request: Any) -> dict[str, Any]:
        board = self._board
        message = {"owner": board.owner, "token": board.token, **request}
        with subprocess.Popen(
            [*board.command, "switch", "--root", str(board.layout.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(message))
            process.stdin.close()
            last: dict[str, Any] = {}
            for line in process.stdout:
                last = json.loads(line)
                if last.get("phase") == "soak":
                    self.token = board.layout.token.read_text().split()[0]
        assert last["event"] == "result", last
        return last


def test_a_new_token_without_a_refused_request(board: Machine, bundles: list[Bundle]) -> None:
    """The old one is valid until the new release is kept, the new one before."""
    certify(board)
    old = deploy(board, bundles[0], access=NEW)["secret"]
    before = report(board)
    for bundle in (bundles[1], bundles[1]):  # with another release, and alone
        board.ready(bundle)
        rotation = Rotation(board, old)
        load = Load(
            0,
            connect=lambda: connect(before, "127.0.0.1", before["port"], 30),
            headers=rotation.headers,
        )
        with load:
            load.more(200)
            done = rotation.run(release=bundle.digest, soak_s=2.0, access={"token": "new"})
            load.more(200)
        assert load.failures == []
        assert rotation.token == done["secret"] != old
        until(lambda old=old: status(board, old) == 401, "the old token has ended")  # type: ignore[misc]
        assert status(board, done["secret"]) == 200
        assert board.layout.token.read_text().split() == [done["secret"]]
        old = done["secret"]
        board.ok("end")
        board.token = ""
    assert report(board)["pid"] == before["pid"]


def test_a_release_that_fails_leaves_the_old_token_and_certificate(
    board: Machine, bundles: list[Bundle]
) -> None:
    certify(board)
    secret = deploy(board, bundles[0], access=NEW)["secret"]
    shown = report(board)["fingerprint"]
    board.ready(bundles[1])
    pem = certificate.self_signed(["localhost"], board.layout.access)
    assert board.ok("certify", pem=pem)["fingerprint"] != shown
    model = next(board.layout.release(bundles[1].digest).glob("model.onnx"))
    model.unlink()
    model.write_bytes(b"no model")
    refused = board.refused(
        "switch", release=bundles[1].digest, soak_s=0, access={"token": "new", "tls": "on"}
    )
    assert refused["code"] == "not-ready"
    assert report(board)["fingerprint"] == shown
    assert (status(board, secret), status(board, "")) == (200, 401)
    assert board.layout.token.read_text().split() == [secret]
    names = {path.name for path in board.layout.access.iterdir()}
    assert names == {"token", "tls.pem"}


def test_opening_that_fails_leaves_it_closed(board: Machine, bundles: list[Bundle]) -> None:
    """Neither the address nor the need of a token follows a release that is not kept."""
    secret = deploy(board, bundles[0], access={"token": "new"})["secret"]
    board.ready(bundles[1])
    model = next(board.layout.release(bundles[1].digest).glob("model.onnx"))
    model.unlink()
    model.write_bytes(b"no model")
    board.refused(
        "switch",
        release=bundles[1].digest,
        host="0.0.0.0",
        soak_s=0,
        access={"token": "none"},
    )
    assert report(board)["host"] == "127.0.0.1"
    assert (status(board, secret), status(board, "")) == (200, 401)


def test_a_switch_that_is_cut_leaves_the_old_token(board: Machine, bundles: list[Bundle]) -> None:
    old = deploy(board, bundles[0], access={"token": "new"})["secret"]
    board.ready(bundles[1])
    process = subprocess.Popen(
        [*board.command, "switch", "--root", str(board.layout.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    message = {"owner": board.owner, "token": board.token, "release": bundles[1].digest}
    process.stdin.write(json.dumps({**message, "soak_s": 60, "access": {"token": "new"}}))
    process.stdin.close()
    for line in process.stdout:
        if json.loads(line).get("phase") == "soak":
            break
    process.kill()
    process.wait()
    process.stdout.close()
    assert len(board.layout.token.read_text().split()) == 2
    board.ok("begin")
    assert board.layout.token.read_text().split() == [old]
    assert status(board, old) == 200
    board.check_invariants()


@pytest.mark.parametrize("value", ["", "short", "has spaces in its middle", "ein-Wörtchen-mit-ö"])
def test_what_is_no_token(board: Machine, bundles: list[Bundle], value: str) -> None:
    board.ready(bundles[0])
    access = {"token": "given", "value": value}
    refused = board.refused("switch", release=bundles[0].digest, soak_s=0, access=access)
    assert refused["code"] == "bad-token"
    assert not value or value not in json.dumps(refused, ensure_ascii=False)


def test_a_key_that_does_not_belong_to_the_certificate(board: Machine, tmp_path: Path) -> None:
    one, two = (certificate.self_signed(["localhost"], tmp_path) for _ in range(2))
    mixed = one.partition("-----BEGIN CERTIFICATE-----")[0] + two[two.index("-----BEGIN CERT") :]
    assert board.refused("certify", pem=mixed)["code"] == "bad-certificate"
    assert not board.layout.next_certificate.exists()


def test_one_of_the_users_stays(board: Machine, bundles: list[Bundle], tmp_path: Path) -> None:
    pem = certificate.self_signed(["localhost"], tmp_path)
    given = board.ok("certify", pem=pem)
    assert given["made"] == "given"
    done = deploy(board, bundles[0], access={"tls": "on"})
    assert done["fingerprint"] == given["fingerprint"]
    assert certify(board)["made"] == "kept"
    assert board.ok("certify", names=["localhost"], own=True)["made"] == "here"


@pytest.mark.parametrize("way", ["_with_library", "_with_program"])
def test_certificates_of_both_makers_are_alike(way: str, tmp_path: Path) -> None:
    make = getattr(certificate, way)
    arguments = [["board.local", "192.0.2.7", "::1"]] + ([tmp_path] if "program" in way else [])
    (tmp_path / "pem").write_text(make(*arguments))
    text = subprocess.run(
        ["openssl", "x509", "-in", str(tmp_path / "pem"), "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for expected in ("DNS:board.local", "IP Address:192.0.2.7", "prime256v1", "CA:TRUE"):
        assert expected in text
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(str(tmp_path / "pem"))


def test_a_target_that_can_make_none_says_so(
    board: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No library and no program: the studio has to make it."""
    root = str(board.layout.root)
    hidden = "import sys; sys.modules['cryptography'] = None; sys.argv.pop(0); "
    run = "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", hidden + run, *board.command[1:], "certify", "--root", root],
        input=json.dumps({"owner": "ann", "names": ["localhost"]}).encode(),
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": "/nowhere"},
    )
    assert json.loads(done.stdout.splitlines()[-1])["made"] == ""


def test_plain_http_gets_no_answer(board: Machine, bundles: list[Bundle]) -> None:
    certify(board)
    deploy(board, bundles[0], access=NEW)
    link = http.client.HTTPConnection("127.0.0.1", report(board)["port"], timeout=10)
    link.request("GET", "/v2")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        link.getresponse()
    link.close()
