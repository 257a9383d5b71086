"""A worker tries to get out, as root and as a user, behind each kind of walls."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from studio.jobs.sandbox import confine
from studio.jobs.sandbox.calls import rules
from tests.unit.jobs.sandbox import ways

ROOT = Path(__file__).parents[4]
VARIABLES = {
    "PIP_INDEX_URL": "https://user:password@packages.example/simple",
    "HTTPS_PROXY": "http://user:password@proxy.example",
    "https_proxy": "http://user:password@proxy.example",
    "EDGEWRIGHT_TOKEN": "x",
    "EDGEWRIGHT_OTHER": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "SSH_AUTH_SOCK": "/run/agent",
    "DOCKER_HOST": "unix:///run/docker.sock",
    "SOMETHING_ELSE": "x",
}
USER = "nobody"


@dataclass(frozen=True)
class Who:
    """Somebody who starts workers: their command, and a Python that they may run."""

    name: str
    before: tuple[str, ...]
    python: str


def _fail_or_skip(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def _as(name: str) -> Who:
    if name == "root":
        if os.geteuid() != 0:
            pytest.skip("the tests do not run as root")
        return Who("root", (), sys.executable)
    if os.geteuid() != 0:
        return Who("user", (), sys.executable)
    # Not setpriv, which keeps root's capabilities until the command has begun.
    runuser = shutil.which("runuser", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "runuser"
    before = (runuser, "-u", USER, "--")
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            command = [*before, python, "-c", "import studio.jobs"]
            subprocess.run(command, check=True, capture_output=True, env=_variables())
        except (OSError, subprocess.CalledProcessError):
            continue
        return Who("user", before, python)
    _fail_or_skip("another user can run no Python here (3.11 or newer is needed)")
    raise AssertionError


def _variables() -> dict[str, str]:
    code = os.pathsep.join((str(ROOT), str(ROOT / "plugins")))
    return {**os.environ, **VARIABLES, "PYTHONPATH": code, "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(params=["root", "user"])
def who(request: pytest.FixtureRequest) -> Who:
    """Who starts the worker."""
    return _as(request.param)


@pytest.fixture
def given(who: Who, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Secrets, sockets and a model, all of them the user's own."""
    # Where pytest keeps its files another user may not go; /var/tmp is open to all.
    base = Path(subprocess.check_output(["mktemp", "-d", "-p", "/var/tmp"], text=True).strip())
    for folder in ("home", "models", "disk", "studio"):
        (base / folder).mkdir()
    for file in ("home/key", "models/model.onnx", "models/data", "beside"):
        (base / file).write_text("x")
    for path in (base, *base.rglob("*")) if who.name == "user" and who.before else ():
        shutil.chown(path, USER)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, base, ignore_errors=True)
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        named, abstract = (stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(2))
        place = Path("/run" if os.access("/run", os.W_OK) else base) / f"{base.name}.sock"
        named.bind(str(place))
        stack.callback(place.unlink)
        place.chmod(0o666)
        abstract.bind(f"\0{base.name}")
        for one in (named, abstract):
            one.listen()
        sleeper = subprocess.Popen([*who.before, "sleep", "infinity"])
        stack.callback(sleeper.wait)
        stack.callback(sleeper.terminate)  # runuser passes it on
        yield {
            "base": str(base),
            "home": str(base / "home"),
            "secret": str(base / "home" / "key"),
            "model": str(base / "models" / "model.onnx"),
            "data": str(base / "models" / "data"),
            "beside": str(base / "beside"),
            "disk": str(base / "disk"),
            "socket": str(place),
            "abstract": base.name,
            "port": server.getsockname()[1],
            "pid": sleeper.pid,
            "variables": sorted(VARIABLES),
        }


def _tried(
    who: Who, given: dict[str, Any], path: str = "", around: Sequence[str] = ()
) -> dict[str, Any]:
    variables = {**_variables(), "HOME": given["home"]}
    if path:
        variables["PATH"] = path
    command = [*who.before, *around, who.python, "-P", "-m", "tests.unit.jobs.sandbox.driver"]
    done = subprocess.run(
        [*command, json.dumps(given)], capture_output=True, text=True, env=variables, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert "ways" in found, found
    return found


def _without_bubblewrap(tmp_path: Path) -> str:
    """A path of programs on which bubblewrap is missing."""
    folder = Path(subprocess.check_output(["mktemp", "-d", "-p", "/var/tmp"], text=True).strip())
    folder.chmod(0o755)
    (folder / "true").symlink_to(shutil.which("true") or "/bin/true")
    return str(folder)


def _status(found: dict[str, Any]) -> dict[str, str]:
    lines = (line.partition(":") for line in found["status"].splitlines())
    return {name: value.strip() for name, _, value in lines}


def _check_what_holds_everywhere(found: dict[str, Any], *, bounded: bool = True) -> None:
    refused = {rule.call: rule.error for rule in rules(frozenset(), sees_sockets=True)}
    wrong = {
        name: said
        for name, said in found["calls"].items()
        if getattr(__import__("errno"), said, 0) != refused[name]
    }
    assert not wrong
    assert len(found["calls"]) > 50
    assert {name: said for name, said in found["harmless"].items() if said != "through"} == {}
    status = _status(found)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb", *["CapBnd"] * bounded):
        assert int(status[kind], 16) == 0, kind
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert not set(found["variables"]) & set(VARIABLES)


@pytest.mark.needs("bwrap")
@pytest.mark.slow
def test_no_way_leads_out_of_bubblewrap(who: Who, given: dict[str, Any]) -> None:
    found = _tried(who, given)
    if found["level"] != "full":
        _fail_or_skip(f"bubblewrap cannot make walls here: {found['means']}")
    assert {name: said for name, said in found["ways"].items() if said == "through"} == {}
    assert len(found["ways"]) == len(ways.WAYS) > 20
    namespaces = found["harmless in namespaces"]
    assert {name: said for name, said in namespaces.items() if said != "through"} == {}
    _check_what_holds_everywhere(found)
    assert not {"run", "home", "mnt", "media", "srv", "boot"} & set(found["root"])
    assert set(found["protections"].values()) == {"enforced"}


@pytest.mark.slow
def test_landlock_refuses_all_but_what_it_says(
    who: Who, given: dict[str, Any], tmp_path: Path
) -> None:
    if confine.landlock_abi() < confine.OLDEST_ABI:
        pytest.skip("this kernel has no Landlock")
    path = _without_bubblewrap(tmp_path)
    try:
        found = _tried(who, given, path)
    finally:
        shutil.rmtree(path)
    assert found["level"] == "partly"
    through = {name for name, said in found["ways"].items() if said == "through"}
    assert through == ways.OPEN_TO_LANDLOCK
    # The bound of a user's capabilities stays; no program can give one (no_new_privs).
    _check_what_holds_everywhere(found, bounded=who.name == "root")
    assert found["root"] == []
    held = found["protections"]
    assert (held["files"], held["processes"]) == ("partly enforced", "partly enforced")
    assert {held[name] for name in ("network", "calls", "privileges")} == {"enforced"}


@pytest.mark.needs("bwrap")
@pytest.mark.slow
def test_root_without_user_namespaces_stays_behind_walls(given: dict[str, Any], who: Who) -> None:
    if who.name != "root":
        pytest.skip("without user namespaces only root can make these walls")
    found = _tried(who, {**given, "without_user_namespace": True})
    assert {name: said for name, said in found["ways"].items() if said == "through"} == {}
    _check_what_holds_everywhere(found, bounded=False)
    held = found["protections"]
    assert held.pop("privileges") == "partly enforced"
    assert set(held.values()) == {"enforced"}


@pytest.mark.needs("bwrap")
@pytest.mark.slow
def test_where_namespaces_are_switched_off_the_level_says_so(
    who: Who, given: dict[str, Any]
) -> None:
    """Behind walls that allow no other user namespace, as on a hardened machine."""
    if confine.landlock_abi() < confine.OLDEST_ABI:
        pytest.skip("this kernel has no Landlock")
    walls = ("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--disable-userns", "--")
    found = _tried(who, given, around=walls)
    through = {name for name, said in found["ways"].items() if said == "through"}
    if who.name == "root":  # whose bubblewrap needs none
        assert (found["level"], found["protections"]["privileges"]) == ("full", "partly enforced")
        assert through == set()
    else:
        assert found["level"] == "partly"
        assert through == ways.OPEN_TO_LANDLOCK
    _check_what_holds_everywhere(found, bounded=False)
