"""Who may call what is deployed: the options, what they mean, and the whole way from here."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Kind, Permission, TargetError, UsageError
from studio.deployment.access import AccessRequest, is_loopback, known_token, token_on
from studio.deployment.options import AccessOptions
from studio.deployment.step import DEPLOY
from studio.documents.dataclass_json import from_json
from studio.jobs import JobOutcome
from studio.jobs.sandbox import environment
from studio.runtime.release.server.access import desired
from studio.runtime.release.server.certificate import self_signed
from studio.runtime.shared.access_tokens import fingerprint_of
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.link import connect
from studio.settings import Paths
from studio.targets.connect import target_of
from studio.workspace import Workspace
from tests.rigs.boards import until
from tests.unit.runtime.models import make_cnn

TOKEN = "a-token-of-the-user-0123456789"


def wish(**given: Any) -> AccessRequest:
    return AccessRequest.of(from_json(AccessOptions, given), {})


def test_nothing_asked_for_keeps_what_is() -> None:
    service = {"host": "0.0.0.0", "token": True, "tls": True}
    after = wish().after(service)
    assert (after.host, after.token, after.tls) == ("0.0.0.0", True, True)
    fresh = wish().after({})
    assert (fresh.host, fresh.token, fresh.tls, fresh.is_open) == ("127.0.0.1", False, False, False)
    assert not wish().changes(service)
    assert wish(token="generate").changes(service)
    assert not wish(expose="network").changes(service)
    assert wish(expose="loopback").changes(service)


def test_the_users_own_token_comes_by_file_or_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    by_file = wish(token_file=str(file))
    by_environment = AccessRequest.of(AccessOptions(token="given"), {"EDGEWRIGHT_TOKEN": TOKEN})
    assert by_file.value == by_environment.value == TOKEN
    assert TOKEN not in repr(by_file)
    assert AccessRequest.of(AccessOptions(), {"EDGEWRIGHT_TOKEN": TOKEN}).token == ""


def test_no_option_takes_the_token_itself() -> None:
    words = [o for o in DEPLOY.form if o.kind is not Kind.INTEGER and not o.choices]
    free = {o.name for o in words if "token" in o.name}
    assert free == {"token_file"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"token": "given"}, "Missing token."),
        ({"token": "generate", "token_file": "x"}, "cannot be combined with --token-file"),
        ({"token_file": "/nowhere"}, "cannot be read"),
        ({"tls": "given"}, "Missing certificate."),
        ({"cert": "x"}, "must be given together"),
        ({"cert": "x", "key": "y", "tls": "none"}, "cannot be combined with --cert or --key"),
        ({"cert": "/nowhere", "key": "/nowhere"}, "Invalid certificate or key"),
        ({"expose": "loopback", "host": "0.0.0.0"}, "conflicts with"),
        ({"allowed_host": ["cam 7"]}, "'cam 7' is not a valid host name."),
        ({"allowed_host": ["a.org", "none"]}, "'none' is not a valid host name."),
        ({"allowed_host": ["a.org\n--port=1"]}, "is not a valid host name."),
    ],
)
def test_what_does_not_fit_together(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        AccessRequest.of(from_json(AccessOptions, given), {})


def test_names_beside_its_own_stay_until_others_are_given() -> None:
    given = wish(allowed_host=["Cam.Example.com.", "*.example.org", "cam.example.com"])
    assert given.allowed_hosts == ("cam.example.com", "*.example.org")
    service = {"host": "0.0.0.0", "allowed_hosts": ["cam.example.com"]}
    assert wish().after(service).allowed_hosts == ("cam.example.com",)
    assert wish().request()["allowed_hosts"] is None
    assert "also as cam.example.com" in str(wish().after(service))
    assert given.changes({})
    none = wish(allowed_host=["none"])
    assert none.request()["allowed_hosts"] == []
    assert none.after(service).allowed_hosts == ()
    assert desired(service, {}).allowed_hosts == ("cam.example.com",)
    assert desired(service, none.request()).allowed_hosts == ()
    with pytest.raises(ReleaseError, match="is not a valid host name"):
        desired(service, {"allowed_hosts": ["a.org --port 1"]})


@pytest.mark.parametrize("value", ["short", "has spaces in its middle"])
def test_a_bad_token_is_not_repeated(value: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(value)
    with pytest.raises(UsageError) as caught:
        wish(token_file=str(tmp_path / "token"))
    assert value not in caught.value.message + caught.value.hint


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.8.0.1", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.0.2.1", "board.local", "")))


def test_a_token_that_nobody_here_knows() -> None:
    target = target_of({"name": "board", "url": "ssh://board"})
    assert token_on(target, "/root", "new\nold\n") == "new"
    with pytest.raises(
        TargetError, match="not stored on this computer and cannot be read on the target"
    ):
        token_on(target, "/root", "")


def test_a_worker_that_needs_no_secrets_gets_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_TOKEN", TOKEN)
    paths = Paths.of(home=tmp_path)
    parses = environment(paths, tmp_path, frozenset({Permission.NETWORK}))
    deploys = environment(paths, tmp_path, DEPLOY.needs)
    assert TOKEN not in parses.values()
    assert deploys["EDGEWRIGHT_TOKEN"] == TOKEN


# The whole way


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


def ok(outcome: JobOutcome) -> dict[str, Any]:
    assert outcome.ok, outcome.sentence + outcome.detail
    return outcome.document


def status(result: dict[str, Any], token: str) -> int:
    link = connect(result, "127.0.0.1", result["port"], 10)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    link.request("GET", "/v2", headers=headers)
    try:
        return link.getresponse().status
    finally:
        link.close()


@pytest.mark.slow
def test_token_and_tls_from_the_deploy_to_the_call(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_cnn(tmp_path / "cnn.onnx", seed=1))
    options = {"model": model, "soak_s": 0.2, "token": "generate", "tls": "self-signed"}
    planned = ok(workspace.run("deploy", dry_run=True, **options))
    rows = {row["name"]: row["text"] for row in planned["steps"]}
    assert rows["access"] == "this target alone, over TLS, with the token"

    done = ok(workspace.run("deploy", **options))
    assert done["endpoint"].startswith("https://127.0.0.1:")
    root = Path(done["root"])
    token = (root / "access" / "token").read_text().strip()
    target = target_of({"name": "local", "url": "local:"})
    assert known_token(target, str(root)) == token
    assert done["fingerprint"] == fingerprint_of(root / "access" / "tls.pem")
    assert [status(done, one) for one in (token, "", "wrong")] == [200, 401, 401]

    assert ok(workspace.run("call", requests=20, connections=2))["answered"] == 20
    assert ok(workspace.run("monitor"))["health"] == "healthy"
    pictures = tmp_path / "frames.npz"
    numpy.savez(pictures, image=numpy.zeros((3, 3, 16, 16), "float32"))
    assert ok(workspace.run("stream", source=str(pictures)))["answered"] == 3

    kept = Paths.of().data
    told = {
        path for path in kept.rglob("*") if path.is_file() and token.encode() in path.read_bytes()
    }
    assert {path.parent for path in told} <= {root / "access", kept / "secrets"}
    assert token not in json.dumps(done)
    assert [path.stat().st_mode & 0o777 for path in told] == [0o600, 0o600]


@pytest.mark.slow
def test_rotation_while_the_studio_calls(workspace: Workspace, tmp_path: Path) -> None:
    """A call that was begun with the old token goes on with the new one."""
    model = str(make_cnn(tmp_path / "cnn.onnx", seed=1))
    ok(workspace.run("deploy", model=model, soak_s=0.2, token="generate"))
    calling = workspace.start("call", requests=1_000_000, connections=2)
    try:
        first = threading.Event()
        while not calling.state.done and not first.wait(0.05):
            assert calling.wait(0) is None
        ok(workspace.run("deploy", model=model, soak_s=1.5, token="generate"))
        ok(workspace.run("call", requests=500))
        assert calling.wait(0) is None
    finally:
        calling.cancel()
        calling.wait()
    ended = ok(workspace.run("call", requests=50))
    assert ended["failed"] == 0


@pytest.mark.slow
def test_a_token_that_somebody_else_has_changed(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_cnn(tmp_path / "cnn.onnx", seed=1))
    done = ok(workspace.run("deploy", model=model, soak_s=0.2, token="generate"))
    (Path(done["root"]) / "access" / "token").write_text(TOKEN + "\n")
    until(lambda: status(done, TOKEN) == 200, "the server has read the other token")
    again = ok(workspace.run("call", requests=20, connections=4))
    assert (again["answered"], again["failed"]) == (20, 0)
    assert known_token(target_of({"name": "local", "url": "local:"}), done["root"]) == TOKEN


@pytest.mark.slow
def test_the_users_own_token_and_certificate(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_cnn(tmp_path / "cnn.onnx", seed=1))
    pem = self_signed(["127.0.0.1"], tmp_path)
    key, _, certificate = pem.partition("-----BEGIN CERTIFICATE-----")
    (tmp_path / "key").write_text(key)
    (tmp_path / "cert").write_text("-----BEGIN CERTIFICATE-----" + certificate)
    (tmp_path / "token").write_text(TOKEN)
    files = {name: str(tmp_path / name) for name in ("cert", "key")}
    done = ok(
        workspace.run(
            "deploy", model=model, soak_s=0.2, token_file=str(tmp_path / "token"), **files
        )
    )
    assert done["fingerprint"] == fingerprint_of(tmp_path / "cert")
    assert (status(done, TOKEN), status(done, "")) == (200, 401)
    assert ok(workspace.run("call", requests=5))["answered"] == 5
    plain = ok(workspace.run("deploy", model=model, soak_s=0.2, token="none", tls="none"))
    assert plain["endpoint"].startswith("http://")
    assert status(plain, "") == 200


@pytest.mark.slow
def test_an_open_door_needs_a_yes(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_cnn(tmp_path / "cnn.onnx", seed=1))
    options = {"model": model, "soak_s": 0.2, "expose": "network"}
    refused = workspace.run("deploy", **options)
    assert refused.exit_code == 4
    assert "would accept unauthenticated requests" in refused.sentence
    planned = ok(workspace.run("deploy", dry_run=True, **options))
    assert planned["possible"] is False
    assert ok(workspace.run("deploy", **options, allow_unauthenticated=True))["host"] == "0.0.0.0"
    assert ok(workspace.run("deploy", model=model, soak_s=0.2))["host"] == "0.0.0.0"  # as before
    closed = ok(workspace.run("deploy", model=model, soak_s=0.2, expose="loopback"))
    assert closed["host"] == "127.0.0.1"
    with_token = ok(workspace.run("deploy", **options, token="generate"))
    assert with_token["token_required"] is True
    plain = http.client.HTTPConnection("127.0.0.1", with_token["port"], timeout=10)
    plain.request("GET", "/metrics")
    assert plain.getresponse().status == 401
    plain.close()


@pytest.mark.slow
def test_a_name_that_was_deployed_is_answered_also_after_the_next_deploy(
    workspace: Workspace, tmp_path: Path
) -> None:
    old, new = (str(make_cnn(tmp_path / f"cnn-{seed}.onnx", seed=seed)) for seed in (1, 2))
    allow_unauthenticated = {"expose": "network", "allow_unauthenticated": True, "soak_s": 0.2}
    before = ok(workspace.run("deploy", model=old, **allow_unauthenticated))
    assert asked_as(before, "cam.example.com") == 403
    named = ok(workspace.run("deploy", model=old, allowed_host=["cam.example.com"], soak_s=0.2))
    assert asked_as(named, "cam.example.com") == 200
    assert asked_as(named, "foreign.example.com") == 403
    following = ok(workspace.run("deploy", model=new, replace=True, soak_s=0.2))
    assert asked_as(following, "cam.example.com") == 200
    last = ok(workspace.run("deploy", model=new, allowed_host=["none"], soak_s=0.2))
    assert asked_as(last, "cam.example.com") == 403


def asked_as(done: dict[str, Any], name: str) -> int:
    link = http.client.HTTPConnection("127.0.0.1", done["port"], timeout=10)
    link.request("GET", "/v2", headers={"Host": name})
    status = link.getresponse().status
    link.close()
    return status
