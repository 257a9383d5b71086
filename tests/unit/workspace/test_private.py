"""Privacy of a profile: folders and files of its user alone, and no password in its records."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.settings import Paths
from studio.workspace import Workspace
from studio.workspace.support import SupportArchive
from tests.rigs.apps import make_app

PASSWORD = "correct-horse-battery"


def _open_to_others(home: Path) -> list[str]:
    """Return what another user reaches: open files in open folders."""
    found = []
    for path in (home / "data", home / "config", home / "cache", home / "data" / "registry"):
        mode = stat.S_IMODE(path.stat().st_mode)
        found += [str(path)] if mode & 0o077 else []
        found += [
            str(one)
            for one in path.iterdir()
            if one.is_file() and stat.S_IMODE(one.stat().st_mode) & 0o077
        ]
    return found


def test_folders_and_files_of_a_profile_are_of_its_user_alone(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as opened:
        opened.settings["theme"] = "dark"
        opened.registry.add_model("digits")
        assert _open_to_others(tmp_path) == []


def test_an_existing_profile_is_tightened_when_it_is_opened(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as opened:
        opened.settings["theme"] = "dark"
    for path in (tmp_path / "data", tmp_path / "config", tmp_path / "data" / "registry"):
        path.chmod(0o755)
    (tmp_path / "config" / "settings.json").chmod(0o644)
    (tmp_path / "data" / "registry" / "registry.sqlite").chmod(0o644)
    Workspace.open(tmp_path).close()
    assert _open_to_others(tmp_path) == []


def test_a_registry_alone_is_tightened_too(tmp_path: Path) -> None:
    Registry.open(tmp_path / "registry").close()
    (tmp_path / "registry").chmod(0o755)
    (tmp_path / "registry" / "registry.sqlite").chmod(0o664)
    Registry.open(tmp_path / "registry").close()
    assert stat.S_IMODE((tmp_path / "registry").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "registry" / "registry.sqlite").stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_password_of_an_app_is_recorded_nowhere(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes")
    home = tmp_path / "home"
    with Workspace.open(home) as opened:
        opened.activity.open()
        given = {"app": str(tmp_path / "lanes"), "set": [f"DB={PASSWORD}"]}
        for step in ("app-run", "app-test"):
            outcome = opened.run(step, **given)
            assert outcome.ok, outcome
        (ran,) = [one for one in opened.registry.ledger.actions() if one.step == "app-run"]
        assert ran.options["set"] == ["DB=***"]
        again = opened.run("app-run", **ran.options)
        assert "The value of the variable DB is not in the history." in again.sentence
    SupportArchive.collect(Paths.of(home=home), ()).write(home / "support.zip")
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


_SPY = """\
import os, socket


def process(stamp, events, state):
    found = {}
    for name, path in state["options"].items():
        try:
            if name == "port":
                socket.create_connection(("127.0.0.1", int(path)), 2).close()
            else:
                os.listdir(path)
            found[name] = "yes"
        except OSError as error:
            found[name] = "no"
    return [{"kind": "spied", **found}] if stamp[1] == 0 else None
"""


@pytest.mark.slow
@pytest.mark.parametrize("network", [False, True])
def test_own_code_reads_the_folder_of_its_app_and_has_the_network_by_consent(
    tmp_path: Path, network: bool
) -> None:
    home, app = tmp_path / "home", tmp_path / "lanes"
    make_app(app, frames=5)
    (app / "own.py").write_text(_SPY)
    with Workspace.open(home) as opened, socket.create_server(("127.0.0.1", 0)) as server:
        options = {"store": opened.registry.store, "plugins": opened.paths.plugins}
        options |= {"app": app, "samples": opened.paths.samples}
        rows = [f"{name} = '{path}'" for name, path in options.items()]
        rows.append(f"port = '{server.getsockname()[1]}'")
        part = "type='python'\ninput='boxes'\ntakes='objects'\nfile='own.py'"
        with (app / "app.toml").open("a") as file:
            file.write(f"[steps.own]\n{part}\n[steps.own.options]\n" + "\n".join(rows) + "\n")
        outcome = opened.run("app-run", app=str(app), allow_code=True, allow_network=network)
        assert outcome.ok, outcome
    (spied,) = [one for one in outcome.document["events"] if one["kind"] == "spied"]
    seen = {name: spied[name] for name in ("app", "store", "plugins", "samples", "port")}
    denied = dict.fromkeys(("store", "plugins", "samples"), "no")
    assert seen == {**denied, "app": "yes", "port": "yes" if network else "no"}
