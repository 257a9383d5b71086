"""Privacy with apps: no record has a password, and own code reads its own folder."""

import socket
from pathlib import Path

import pytest

from studio.settings import Paths
from studio.workspace import Workspace
from studio.workspace.support import SupportArchive
from tests.rigs.apps import make_app

PASSWORD = "correct-horse-battery"


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
