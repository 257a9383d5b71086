"""Logins of OCI registries: where they are read, and where they may not go."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.api import Silent, StudioError, TargetError
from studio_oci.address import RegistryPlace
from studio_oci.transport.logins import Logins
from studio_oci.transport.tokens import Tokens
from tests.rigs.oci.sessions import Rig, login_file, opened, pushed


@pytest.mark.parametrize("token", ["", "t0ken"])
def test_a_login(rig: Rig, tmp_path: Path, token: str) -> None:
    rig[1].basic, rig[1].token = "Basic YW5uOnNlY3JldA==", token
    login_file(tmp_path, rig[0])
    version = pushed(rig, tmp_path)
    assert opened(rig).pull(version, tmp_path / "out", Silent()).is_dir()


def test_a_missing_login(rig: Rig, tmp_path: Path) -> None:
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    with pytest.raises(TargetError, match="wants a login") as caught:
        pushed(rig, tmp_path)
    assert "oras login" in caught.value.hint


def test_a_login_that_others_can_read(rig: Rig, tmp_path: Path) -> None:
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    path = login_file(tmp_path, rig[0], 0o644)
    with pytest.raises(StudioError, match="Other users can read") as caught:
        pushed(rig, tmp_path)
    assert str(path) in caught.value.hint


def test_a_program_that_keeps_logins(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "docker-credential-rig"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nread host\necho \'{"Username": "ann", "Secret": "secret"}\'\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    path = login_file(tmp_path, rig[0])
    path.write_text(json.dumps({"credsStore": "rig"}))
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    assert pushed(rig, tmp_path).version == "1"


@pytest.mark.parametrize("name", ["../../bin/sh", "missing", "a b", ""])
def test_a_program_that_is_none(rig: Rig, tmp_path: Path, name: str) -> None:
    path = login_file(tmp_path, rig[0])
    path.write_text(json.dumps({"credHelpers": {rig[0]: name or "-"}}))
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    with pytest.raises(StudioError, match="which has the login, is missing"):
        pushed(rig, tmp_path)


@pytest.mark.parametrize("text", ["{", '{"auths": {"HOST": {"auth": "%%%"}}}'])
def test_a_damaged_file_of_logins(rig: Rig, tmp_path: Path, text: str) -> None:
    login_file(tmp_path, rig[0]).write_text(text.replace("HOST", rig[0]))
    rig[1].basic = "Basic YW5uOnNlY3JldA=="
    with pytest.raises(StudioError, match=r"cannot be read as a file of logins|is damaged"):
        pushed(rig, tmp_path)


@pytest.fixture
def tokens() -> Callable[[bytes], Tokens]:
    class Body:
        def __init__(self, body: bytes) -> None:
            self.body = body

    place = RegistryPlace("registry.example", "", plain=False)
    return lambda body: Tokens(place, Logins({"HOME": "/nowhere"}), lambda *_: Body(body))


def test_a_server_of_tokens_without_tls(tokens: Callable[[bytes], Tokens]) -> None:
    with pytest.raises(TargetError, match="has no TLS"):
        tokens(b"").answer('Bearer realm="http://other.example/token"', "scope")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": "a\\r\\nb"}', b'{"token": "' + b"x" * 70_000 + b'"}']
)
def test_an_answer_without_a_token(tokens: Callable[[bytes], Tokens], body: bytes) -> None:
    with pytest.raises(TargetError, match="a login without a token"):
        tokens(body).answer('Bearer realm="https://other.example/token"', "scope")


def test_another_way_of_logging_in(tokens: Callable[[bytes], Tokens]) -> None:
    assert tokens(b"").answer("Negotiate abc", "scope") == ""
