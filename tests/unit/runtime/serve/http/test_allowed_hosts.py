"""Whom a server answers: names that are its own, and no pages of others."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.serve.arguments import parse
from studio.runtime.serve.contracts.environment import completed
from studio.runtime.serve.http.allowed_hosts import HostPolicy, own_names
from studio.runtime.serve.http.message import HttpError
from tests.unit.runtime.serve import rig


def admits(policy: HostPolicy, host: str, origin: str | None = None) -> bool:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    try:
        policy.check(headers)
    except HttpError as error:
        return (error.status, error.close) != (403, True)
    return True


LOCAL = HostPolicy((), local=True, guarded=False)
OPEN = HostPolicy((), local=False, guarded=False)
GUARDED = HostPolicy((), local=False, guarded=True)
NAMED = HostPolicy(("models.example.com", "*.plant.example"), local=True, guarded=True)


@pytest.mark.parametrize(
    ("host", "local", "beyond"),
    [
        ("localhost:8477", True, True),
        ("LocalHost", True, True),
        ("app.localhost:80", True, True),
        ("127.0.0.1:8477", True, True),
        ("192.168.7.4", True, True),  # an address cannot be pointed elsewhere
        ("[::1]:8477", True, True),
        ("[fe80::1%25eth0]", True, True),
        (socket.gethostname() + ":8477", True, True),
        ("", True, True),  # HTTP/1.0, and no browser
        ("evil.example:8477", False, False),
        ("localhost.evil.example", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("evil.example.", False, False),
        ("2130706433", False, True),  # browsers send 127.0.0.1 for it
        ("nano:8477", False, True),
        ("nano.local", False, True),
        ("digits.models.svc.cluster.local", False, True),
        ("box.internal", False, True),
    ],
)
def test_names_of_the_server(host: str, local: bool, beyond: bool) -> None:
    assert admits(LOCAL, host) is local
    assert admits(OPEN, host) is beyond
    assert admits(GUARDED, host), "a page of others has no token"


def test_names_that_were_given() -> None:
    assert admits(NAMED, "models.example.com:443")
    assert admits(NAMED, "a.plant.example")
    assert not admits(NAMED, "plant.example")
    assert not admits(NAMED, "evil.example"), "the loopback is strict, also with a token"
    assert admits(HostPolicy(("*",), local=True, guarded=False), "evil.example")


@pytest.mark.parametrize("policy", [LOCAL, OPEN, GUARDED])
@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://127.0.0.1:8477", True),
        ("http://127.0.0.1:3000", False),
        ("http://127.0.0.1", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
        ("file://127.0.0.1:8477", False),
    ],
)
def test_pages_of_others(policy: HostPolicy, origin: str, own: bool) -> None:
    assert admits(policy, "127.0.0.1:8477", origin) is own


def test_a_page_behind_a_proxy_is_own_under_the_name_that_was_given() -> None:
    assert admits(NAMED, "127.0.0.1:8477", "https://models.example.com")
    assert not admits(NAMED, "127.0.0.1:8477", "https://models.example.com.evil.example")
    anything = HostPolicy(("*",), local=True, guarded=False)
    assert not admits(anything, "127.0.0.1:8477", "https://evil.example")


def test_the_names_in_the_table_of_hosts(tmp_path: Path) -> None:
    own = socket.gethostname()
    table = tmp_path / "hosts"
    table.write_text(f"127.0.1.1 {own}.plant.example {own}  # ours\n10.0.0.9 other.example\n")
    names = own_names(table)
    assert f"{own}.plant.example".lower() in names
    assert "other.example" not in names
    assert "localhost" in own_names(tmp_path / "none")


def test_names_come_from_options_variable_and_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEWRIGHT_ALLOWED_HOSTS", "c.example, B.example")
    given = parse(["--model=x", "--allowed-host=A.example", "--allowed-host=b.example"])
    assert given.allowed_hosts == ("a.example", "b.example", "c.example")
    vertex = completed(["--model=x"], {"AIP_HTTP_PORT": "8080"})
    assert vertex[-2:] == ["--allowed-host", "*"]


# A real server


def ask(server: rig.ServerProcess, method: str, path: str, **headers: str) -> tuple[int, str]:
    status, document = server.call(method, path, None, **headers)
    return status, document.get("error", "") if isinstance(document, dict) else ""


def test_a_page_can_neither_read_nor_change_what_is_served(echo: rig.ServerProcess) -> None:
    evil = {"Host": "evil.example:8477"}
    status, sentence = ask(echo, "GET", "/v2/models/every_type", **evil)
    assert status == 403
    assert sentence.endswith("start it with --allowed-host evil.example.")
    assert ask(echo, "GET", "/v2/health/live", **evil)[0] == 200, "a probe says nothing"
    page = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    unload = "/v2/repository/models/every_type/unload"
    assert ask(echo, "POST", unload, **page)[0] == 403
    assert ask(echo, "POST", unload, **{"Content-Type": "text/plain"})[0] == 415
    assert ask(echo, "POST", "/edgewright/labels", **{"Content-Type": "text/plain"})[0] == 415
    assert ask(echo, "GET", "/v2/models/every_type/ready")[0] == 200


def test_a_supervised_server_knows_the_names_that_were_given(tmp_path: Path) -> None:
    root = tmp_path / "root"
    model = rig.constant(tmp_path / "constant.onnx", 3.0)
    rig.switch(root, rig.bundle(root / "releases", model, 1))
    names = "--allowed-host=models.example"
    with rig.ServerProcess(f"--root={root}", names, log=tmp_path / "log") as server:
        assert ask(server, "GET", "/v2/models/answer", Host="models.example")[0] == 200
        assert ask(server, "GET", "/v2/models/answer", Host="other.example")[0] == 403


# What else is looked at early


def test_a_stranger_sends_no_body(tmp_path: Path) -> None:
    model = rig.constant(tmp_path / "constant.onnx", 3.0)
    token = {"EDGEWRIGHT_TOKEN": "secret" * 4}
    with rig.ServerProcess(f"--model={model}", log=tmp_path / "log", **token) as server:
        for path in ("/v2/models/constant/infer", "/v2/repository/index", "/nothing"):
            assert head_alone(server, path).startswith(b"HTTP/1.1 401 ")


def test_a_control_route_takes_little(echo: rig.ServerProcess) -> None:
    for path in ("/v2/repository/index", "/v2/repository/models/x/load", "/models"):
        assert head_alone(echo, path).startswith(b"HTTP/1.1 413 ")
    large: Any = {"ready": True, "x": "y" * 70_000}
    assert echo.call("POST", "/v2/repository/index", large)[0] == 413
    assert head_alone(echo, "/nothing").startswith(b"HTTP/1.1 404 ")


def head_alone(server: rig.ServerProcess, path: str) -> bytes:
    """The answer to a request whose body does not come."""
    head = f"POST {path} HTTP/1.1\r\nHost: {server.host}\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(head.encode())
        return client.recv(65536)


def test_models_are_listed(echo: rig.ServerProcess) -> None:
    assert echo.get("/v2/models") == (200, {"models": ["every_type"]})


@pytest.mark.parametrize(
    ("begin", "kind"), [(b"\xff\xd8\xff\xe0", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG")]
)
def test_a_picture_is_told_where_to_go(echo: rig.ServerProcess, begin: bytes, kind: str) -> None:
    for size in (10, 100_000):  # small ones are read in the event loop, large ones on a thread
        status, document = echo.call(
            "POST",
            "/v2/models/every_type/infer",
            begin + bytes(size),
            **{"Content-Type": "image/x"},
        )
        assert status == 400
        sentence = f"The body is a {kind} picture: send it to /edgewright/models/every_type/image."
        assert document == {"error": sentence}
