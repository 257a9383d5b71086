"""Netron's page: what it may read, what was taken from it, and who its server answers."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from studio.api import InvalidModel
from studio_netron import engine
from studio_netron.content import Content, static_folder
from studio_netron.server import NetronServer

BYTES = bytes(range(256)) * 5000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / 'a "model" & more.pt'
    path.write_bytes(BYTES)
    (tmp_path / "secret.pt").write_bytes(b"another model")
    return path


@pytest.fixture
def content(model: Path) -> Iterator[Content]:
    content = Content(model)
    yield content
    content.close()


@pytest.fixture
def server(model: Path) -> Iterator[NetronServer]:
    server = NetronServer(model)
    yield server
    server.close()


def page(content: Content) -> str:
    answer = content.answer("")
    assert answer is not None
    assert answer.body is not None
    return answer.body.decode()


def test_the_page_calls_nobody_and_never_gets_old(content: Content) -> None:
    text = page(content)
    assert text.count('name="version"') == text.count('name="date"') == 1
    assert '<meta name="version" content="0.0.0">' in text
    assert time.strftime("%Y-%m-%d", time.gmtime()) in text
    assert len(re.findall("Content-Security-Policy", text)) == 1
    assert "connect-src &#x27;self&#x27; data: blob:;" in text
    assert text.index("prelude.js") < text.index('src="index.js"')


def test_the_scripts_still_do_what_was_taken_from_them() -> None:
    """What the changes rely on, in the installed version."""
    text = (static_folder() / "browser.js").read_text()
    assert "this._meta.version[0] !== '0.0.0'" in text  # then nothing is counted
    assert "if (this._environment.packaged) {" in text
    assert "this._getCookie('consent')" in text
    assert "if (days > 180)" in text
    assert "this._meta.file" in text


def test_the_models_name_is_text(content: Content) -> None:
    text = page(content)
    assert 'content="model/a%20%22model%22%20%26%20more.pt"' in text
    assert 'content="a &quot;model&quot; &amp; more.pt"' in text


def test_one_model_and_static_files(content: Content, model: Path) -> None:
    found = content.answer("model/a%20%22model%22%20%26%20more.pt")
    assert found is not None
    assert (found.size, found.body) == (len(BYTES), None)
    assert b"".join(content.model()) == BYTES
    assert content.answer("view.js") is not None
    assert content.answer("onnx-metadata.json") is not None


@pytest.mark.parametrize(
    "path",
    [
        "model/secret.pt",
        "model/../secret.pt",
        "secret.pt",
        "../secret.pt",
        "..%2Fsecret.pt",
        "/etc/passwd",
        "server.py",
        "__init__.py",
        "model/",
        "sub/view.js",
        "./view.js",
        "view.js/",
        "view.js%00",
    ],
)
def test_everything_else_is_not_there(content: Content, path: str) -> None:
    assert content.answer(path) is None


def test_the_file_stays_the_one_that_was_opened(content: Content, model: Path) -> None:
    model.unlink()
    model.symlink_to("/etc/passwd")
    assert b"".join(content.model()) == BYTES
    assert Path(content.place()).read_bytes() == BYTES


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "empty.pt").touch()
    for name in ("pipe.pt", "empty.pt", "missing.pt", "."):
        with pytest.raises(InvalidModel):
            Content(tmp_path / name)


# The server


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def ask(server: NetronServer, target: str, host: str | None = None, method: str = "GET") -> Reply:
    connection = http.client.HTTPConnection(server.address, timeout=10)
    connection.putrequest(method, target, skip_host=True)
    if host is None or host:
        connection.putheader("Host", host or server.address)
    connection.endheaders()
    with contextlib.closing(connection), connection.getresponse() as answer:
        return Reply(answer.status, dict(answer.getheaders()), answer.read())


def root(server: NetronServer) -> str:
    return server.url.removeprefix(f"http://{server.address}")


def test_the_server_serves_the_page_and_the_model(server: NetronServer) -> None:
    answer = ask(server, root(server))
    assert answer.status == 200
    assert b"prelude.js" in answer.body
    headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    name = root(server) + "model/a%20%22model%22%20%26%20more.pt?cb=1"
    assert ask(server, name).body == BYTES
    assert ask(server, name, method="HEAD").body == b""


@pytest.mark.parametrize("target", ["/", "/index.html", "/view.js", "/wrong/", "/wrong/view.js"])
def test_without_the_token_there_is_nothing(server: NetronServer, target: str) -> None:
    answer = ask(server, target)
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("host", ["", "localhost:{port}", "evil.example", "evil.example:{port}"])
def test_another_host_is_refused(server: NetronServer, host: str) -> None:
    named = host.format(port=server.address.partition(":")[2])
    assert ask(server, root(server), host=named).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])
def test_other_methods_are_refused(server: NetronServer, method: str) -> None:
    assert ask(server, root(server), method=method).status == 501


def test_it_listens_on_the_loopback_alone(server: NetronServer) -> None:
    assert server.address.startswith("127.0.0.1:")
    assert len(root(server)) >= 34  # 32 letters and the slashes


def test_it_ends_when_it_is_told_to_or_nobody_asks(model: Path) -> None:
    for server in (NetronServer(model), NetronServer(model, idle_s=0.05)):
        host, port = server.address.split(":")
        if server._idle > 1:
            server.close()
            assert server.path_of(root(server), server.address) is None
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as client:
                if client.connect_ex((host, int(port))):
                    break
            time.sleep(0.02)
        assert not server.running
        assert time.monotonic() < until


def test_chromium_is_not_started_where_it_would_end_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    assert "edgewright[webengine]" in engine.why_not()
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(engine.os, "geteuid", lambda: 0)
    assert engine.why_not() == "Chromium does not start as root."
    monkeypatch.setattr(engine.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(engine.shutil, "which", lambda name: None)
    assert "gives Chromium no sandbox" in engine.why_not()
    monkeypatch.setenv("QTWEBENGINE_CHROMIUM_FLAGS", "--no-sandbox")
    assert engine.why_not() == ""
