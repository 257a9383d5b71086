"""Token and TLS under a supervisor: swaps, handovers, crashes and new credentials under load."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

from studio.runtime.release.server.certificate import self_signed
from studio.runtime.shared.access_tokens import fingerprint_of
from studio.runtime.shared.link import authorization, connect
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow

TOKEN = "a-token-of-the-tests-0123456789"
INFER = "/v2/models/answer/infer"
ALERT, HANDSHAKE = b"\x15", b"\x16"


class Guarded:
    """A root of two releases (``one`` and ``two``), served with a token over TLS."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.token_file, self.certificate = folder / "token", folder / "tls.pem"
        self.token_file.write_text(TOKEN + "\n")
        self.renew(folder)
        self.one, self.two = (
            rig.bundle(self.root / "releases", rig.constant(folder / f"{n}.onnx", n), n)
            for n in (1, 2)
        )
        rig.switch(self.root, self.one)
        self.server = rig.ServerProcess(
            f"--root={self.root}",
            f"--token-file={self.token_file}",
            f"--cert={self.certificate}",
            f"--key={self.certificate}",
            log=folder / "log",
        )

    def renew(self, folder: Path) -> None:
        """Replace the certificate, whole."""
        (folder / "new.pem").write_text(self_signed(["127.0.0.1", "localhost"], folder))
        os.replace(folder / "new.pem", self.certificate)

    @property
    def report(self) -> dict[str, Any]:
        return rig.report(self.root)

    def ask(self, method: str, path: str, token: str = TOKEN, body: Any = None) -> tuple[int, Any]:
        """Status and document, on a connection of its own that checks the pinned certificate."""
        report = self.report
        link = connect(report, "127.0.0.1", report["port"], 20)
        try:
            content = None if body is None else json.dumps(body)
            link.request(method, path, content, dict(authorization(token)))
            response = link.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            link.close()

    def swap(self, release: Path, command: list[str] | None = None) -> None:
        """Serve a release; by another runner where a command is given."""
        if command is not None:
            binding = {"python": command[0], "runtime": command[1]}
            release.with_name(release.name + ".json").write_text(json.dumps(binding))
        rig.switch(self.root, release)
        self.server.hang_up()
        rig.wait_until(
            lambda: (self.report["digest"], self.report["state"]) == (release.name, "ready"),
            "the release is served",
        )


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    made = Guarded(tmp_path)
    with made.server:
        yield made


class Load:
    """Clients that keep their connections and send the token of the moment."""

    def __init__(self, guarded: Guarded, token: Callable[[], str]) -> None:
        self._report, self._token = guarded.report, token
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(3)]
        self.answers = 0
        self.failures: list[str] = []

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        goal = self.answers + count
        rig.wait_until(lambda: self.answers >= goal or bool(self.failures), "answers", 60)

    def _ask(self) -> None:
        # Through a drain a connection ends after an answer that says so; a new one is then made.
        link = connect(self._report, "127.0.0.1", self._report["port"], 20)
        body = json.dumps(rig.question())
        while not self._end.is_set():
            headers: Mapping[str, str] = authorization(self._token())
            try:
                link.request("POST", INFER, body, dict(headers))
                response = link.getresponse()
                content = response.read()
            except OSError as error:
                self.failures.append(repr(error))
                return
            if response.status != 200:
                self.failures.append(f"{response.status}: {content[:100]!r}")
                return
            self.answers += 1
        link.close()


def test_the_report_says_how_to_call(guarded: Guarded) -> None:
    assert guarded.report["scheme"] == "https"
    assert guarded.report["token_required"] is True
    assert guarded.report["fingerprint"] == fingerprint_of(guarded.certificate)
    assert guarded.server.ready["endpoint"].startswith("https://")
    assert TOKEN not in (guarded.root / "run" / "server.json").read_text()
    assert guarded.ask("GET", "/v2")[0] == 200
    for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper()):
        assert guarded.ask("GET", "/v2", wrong)[0] == 401
        assert guarded.ask("POST", INFER, wrong, rig.question())[0] == 401
    assert guarded.ask("GET", "/v2/health/ready", "")[0] == 200


def test_swaps_under_load(guarded: Guarded) -> None:
    with Load(guarded, lambda: TOKEN) as load:
        for release in (guarded.two, guarded.one, guarded.two):
            load.more(50)
            guarded.swap(release)
        load.more(50)
    assert load.failures == []
    assert guarded.ask("GET", "/v2", "")[0] == 401


def test_handover_to_another_runner(guarded: Guarded) -> None:
    """The worker of the new runner has the same token and the same certificate."""
    runtime = guarded.root / "runtime"
    runtime.mkdir()
    script = f"import sys; sys.path.insert(0, {str(rig.REPOSITORY)!r})\n"
    script += "from studio.runtime.main import main\nsys.exit(main())\n"
    (runtime / "run.py").write_text(script)
    before = guarded.report
    with Load(guarded, lambda: TOKEN) as load:
        load.more(50)
        guarded.swap(guarded.two, [sys.executable, "run.py"])
        load.more(50)
    assert load.failures == []
    assert guarded.report["worker"] != before["worker"]
    assert guarded.report["fingerprint"] == before["fingerprint"]
    assert [guarded.ask("GET", "/v2", token)[0] for token in (TOKEN, "")] == [200, 401]


def test_a_worker_that_crashes_comes_back_guarded(guarded: Guarded) -> None:
    worker = guarded.report["worker"]
    os.kill(worker, signal.SIGKILL)
    rig.wait_until(
        lambda: guarded.report["worker"] not in (0, worker) and guarded.report["state"] == "ready",
        "another worker serves",
    )
    assert [guarded.ask("GET", "/v2", token)[0] for token in (TOKEN, "")] == [200, 401]


def test_a_new_token_without_a_restart(guarded: Guarded, tmp_path: Path) -> None:
    current = [TOKEN]
    pid = guarded.report["worker"]
    with Load(guarded, lambda: current[0]) as load:
        load.more(50)
        (tmp_path / "next").write_text(f"a-newer-token-0123456789\n{TOKEN}\n")
        os.replace(tmp_path / "next", guarded.token_file)
        load.more(50)
        current[0] = "a-newer-token-0123456789"
        load.more(50)
        (tmp_path / "next").write_text(current[0])
        os.replace(tmp_path / "next", guarded.token_file)
        load.more(50)
        rig.wait_until(lambda: guarded.ask("GET", "/v2")[0] == 401, "the old token has ended")
        load.more(50)
    assert load.failures == []
    assert guarded.report["worker"] == pid


def test_a_new_certificate_with_a_reload(guarded: Guarded, tmp_path: Path) -> None:
    """Connections that are open go on; new ones are shown the new certificate."""
    before = guarded.report
    link = connect(before, "127.0.0.1", before["port"], 20)
    link.request("GET", "/v2", headers=dict(authorization(TOKEN)))
    link.getresponse().read()
    guarded.renew(tmp_path)
    guarded.swap(guarded.two)
    assert guarded.report["fingerprint"] == fingerprint_of(guarded.certificate)
    assert guarded.report["fingerprint"] != before["fingerprint"]
    assert guarded.ask("GET", "/v2")[0] == 200
    link.request("GET", "/v2", headers=dict(authorization(TOKEN)))
    assert link.getresponse().status == 200
    link.close()


def test_tritonclient_over_tls_with_the_token(guarded: Guarded) -> None:
    def client(certificate: Path) -> triton.InferenceServerClient:
        return triton.InferenceServerClient(
            f"127.0.0.1:{guarded.report['port']}",
            ssl=True,
            ssl_options={"ca_certs": str(certificate)},
        )

    data = triton.InferInput("x", [1, 4], "FP32")
    data.set_data_from_numpy(np.zeros((1, 4), np.float32))
    asking = client(guarded.certificate)
    answer = asking.infer("answer", [data], headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.as_numpy("y").tolist() == [[1.0] * 4]
    with pytest.raises(InferenceServerException, match="bearer token"):
        asking.infer("answer", [data])
    with pytest.raises(InferenceServerException, match="bearer token"):
        asking.infer("answer", [data], headers={"Authorization": "Bearer " + TOKEN[1:]})
    asking.close()
    foreign = guarded.certificate.with_name("foreign.pem")
    foreign.write_text(self_signed(["127.0.0.1"], foreign.parent))
    stranger = client(foreign)
    with pytest.raises(Exception, match=r"(?i)certificate"):
        stranger.is_server_live()
    stranger.close()


@pytest.mark.parametrize("minor", [0, 1, 2])
def test_old_versions_of_tls_are_refused(guarded: Guarded, minor: int) -> None:
    """SSL 3.0, TLS 1.0 and 1.1, in bytes of our own: what the client's library allows is no part.

    The same greeting with the number of TLS 1.2 is answered with the server's own.
    """
    assert first_byte(guarded, client_hello(minor)) in (b"", ALERT)
    assert first_byte(guarded, client_hello(3)) == HANDSHAKE


def first_byte(guarded: Guarded, greeting: bytes) -> bytes:
    """Of the server's answer; empty when it closes the connection instead."""
    with socket.create_connection(("127.0.0.1", guarded.report["port"]), timeout=20) as link:
        link.sendall(greeting)
        try:
            return link.recv(1)
        except ConnectionError:
            return b""


def client_hello(minor: int) -> bytes:
    """The greeting of a client whose newest version is 3.minor (SSL 3.0 is 3.0, TLS 1.2 is 3.3)."""
    # ECDHE-ECDSA and ECDHE-RSA with AES: some for every version.
    ciphers = bytes.fromhex("c02b c02f c009 c00a c013 c014 002f".replace(" ", ""))
    groups = bytes.fromhex("000a 0004 0002 0017".replace(" ", ""))
    formats = bytes.fromhex("000b 0002 0100".replace(" ", ""))
    algorithms = bytes.fromhex("000d 0006 0004 0403 0203".replace(" ", ""))
    extensions = groups + formats + (algorithms if minor == 3 else b"")
    body = bytes([3, minor]) + bytes(32) + b"\0" + len(ciphers).to_bytes(2, "big") + ciphers
    body += b"\x01\0" + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return bytes([0x16, 3, min(minor, 1)]) + len(message).to_bytes(2, "big") + message


def test_a_client_that_speaks_no_tls_gets_no_http(guarded: Guarded) -> None:
    request = f"GET /v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", guarded.report["port"]), timeout=20) as link:
        link.sendall(request.encode())
        received = b""
        try:
            while more := link.recv(4096):
                received += more
        except ConnectionError:
            pass
    assert b"HTTP/" not in received
    assert guarded.ask("GET", "/v2")[0] == 200
