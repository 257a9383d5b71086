"""No secret in a command line: any user reads those of all processes, here and on a board."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.api import Silent
from studio.plugin_host.environments.build import EnvironmentBuild
from tests.e2e.conftest import Studio
from tests.rigs.apps import make_app
from tests.rigs.boards import Board, Network, shown
from tests.rigs.command_lines import command_lines
from tests.rigs.event_receiver import event_receiver
from tests.rigs.mlflow.fake import running
from tests.rigs.oci.registry import serving
from tests.unit.plugin_host.test_environments import environment as a_package
from tests.unit.plugin_host.test_installation import index, use_index

pytestmark = [pytest.mark.rig, pytest.mark.needs("strace")]

SECRET = "correct-horse-battery-staple"
LOGIN = base64.b64encode(f"ann:{SECRET}".encode()).decode()
# A studio has them for its clouds, whatever else it does.
_CLOUDS = ("AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "HF_TOKEN", "EDGEWRIGHT_TOKEN")
# Keeps a command out of the process that is shared by tests, which starts no program for it.
_OF_ITS_OWN = ("env",)


def run(studio: Studio, *words: str | Path, code: int = 0) -> None:
    ended = studio.run(*words, under=_OF_ITS_OWN)
    assert ended.code == code, ended.err or ended.out


def secret_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def serve_an_app(studio: Studio, folder: Path, target: str) -> None:
    app = folder / "gate"
    make_app(app, frames=40, source="realtime = true\nloop = true", top='files = ["film.avi"]')
    text = (app / "app.toml").read_text()
    (app / "app.toml").write_text(text.replace("[variables]\n", '[variables]\nCODE = ""\n') + _SINK)
    run(studio, "deploy", app, "--target", target, "--token", "given")
    values = secret_file(folder / "values", f"CODE={SECRET}\n")
    run(studio, "app", "variables", target, "--file", values)
    run(studio, "app", "variables", target)


_SINK = """
[sinks.hook]
type = "webhook"
input = "gate"
url = "http://127.0.0.1:9/${CODE}"
token = "${CODE}"
"""


def app_here(studio: Studio, digits: Path, folder: Path) -> None:
    serve_an_app(studio, folder, "local")


def app_run(studio: Studio, digits: Path, folder: Path) -> None:
    make_app(folder / "lanes")
    run(studio, "app", "run", folder / "lanes", "--set", f"DB={SECRET}")


def token_of_a_model(studio: Studio, digits: Path, folder: Path) -> None:
    data = ("--data", digits / "heldout.npz", "--requests", "5")
    token = secret_file(folder / "token", SECRET)
    run(studio, "deploy", digits / "digits.onnx", "--target", "local", "--token-file", token)
    run(studio, "call", "--target", "local", *data)
    run(studio, "monitor", "--target", "local")


def mlflow(studio: Studio, digits: Path, folder: Path) -> None:
    with running() as (fake, address):
        studio.environment.update(MLFLOW_TRACKING_URI=address, MLFLOW_TRACKING_TOKEN=SECRET)
        run(studio, "registry", "push", digits / "digits.onnx")
        assert fake.state.authorization == f"Bearer {SECRET}"


def oci(studio: Studio, digits: Path, folder: Path) -> None:
    with serving() as (host, store):
        store.basic = f"Basic {LOGIN}"
        logins = json.dumps({"auths": {host: {"auth": LOGIN}}})
        studio.environment["REGISTRY_AUTH_FILE"] = str(secret_file(folder / "auth.json", logins))
        run(studio, "registry", "push", digits / "digits.onnx", "--to", f"oci://{host}/models")
        assert store.basic in store.logins


def oci_with_a_helper(studio: Studio, digits: Path, folder: Path) -> None:
    answer = json.dumps({"Username": "ann", "Secret": SECRET})
    helper = secret_file(folder / "docker-credential-rig", f"#!/bin/sh\necho '{answer}'\n")
    helper.chmod(0o700)
    studio.environment["PATH"] = f"{folder}:{os.environ['PATH']}"
    with serving() as (host, store):
        store.basic = f"Basic {LOGIN}"
        logins = json.dumps({"credHelpers": {host: "rig"}})
        studio.environment["REGISTRY_AUTH_FILE"] = str(secret_file(folder / "auth.json", logins))
        run(studio, "registry", "push", digits / "digits.onnx", "--to", f"oci://{host}/models")
        assert store.basic in store.logins


def webhook(studio: Studio, digits: Path, folder: Path) -> None:
    studio.environment["HOOK_KEY"] = SECRET
    with event_receiver() as receiver:
        options = f'url = "{receiver.url}/{SECRET}"\nsigning_secret = "HOOK_KEY"\n'
        channel = f'[[channels]]\nname = "ours"\nkind = "webhook"\n{options}'
        alerts = secret_file(folder / "alerts.toml", channel)
        run(studio, "monitor", "test", "--alerts", alerts)
        assert receiver.posts


def index_of_packages(studio: Studio, digits: Path, folder: Path) -> None:
    environment = a_package(folder)
    (wheel,) = (folder / "wheels").iterdir()
    with index(wheel, 1.0) as url, pytest.MonkeyPatch.context() as patch:
        use_index(patch, url.replace("://", f"://ann:{SECRET}@"))
        EnvironmentBuild(environment, folder / "made", Silent(), None).run()


CASES: list[Callable[[Studio, Path, Path], None]] = [
    *(
        app_here,
        app_run,
        token_of_a_model,
        mlflow,
        oci,
        oci_with_a_helper,
        webhook,
        index_of_packages,
    )
]


@pytest.mark.parametrize("work", CASES, ids=lambda work: work.__name__)
def test_no_program_gets_a_secret_in_its_words(
    studio: Studio, digits: Path, tmp_path: Path, work: Callable[[Studio, Path, Path], None]
) -> None:
    studio.environment.update(dict.fromkeys(_CLOUDS, SECRET))
    with command_lines(os.getpid(), tmp_path / "starts") as starts:
        work(studio, digits, tmp_path)
    assert_hidden(starts)


def assert_hidden(starts: list[str]) -> None:
    """No secret is in what was started beside the commands that the user typed."""
    env = '"env", '
    own = {words.removeprefix(env) for words in starts if words.startswith(env)}
    others = [words for words in starts if words.removeprefix(env) not in own]
    assert others, "nothing was traced"
    assert [words for words in others if SECRET in words or LOGIN in words] == []


def test_a_short_program_is_seen(tmp_path: Path) -> None:
    with command_lines(os.getpid(), tmp_path / "starts") as starts:
        subprocess.run(["sh", "-c", f"exec true {SECRET}"], check=True)
    with pytest.raises(AssertionError, match=SECRET):
        assert_hidden(starts)


@pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen")
def test_no_program_of_a_board_gets_a_secret_in_its_words(studio: Studio, tmp_path: Path) -> None:
    studio.environment.update(dict.fromkeys(_CLOUDS, SECRET))
    with Network() as network, Board(network, tmp_path / "board") as board:
        key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
        run(studio, "target", "add", "roof", board.url, *key)
        with command_lines(board.pid, tmp_path / "starts") as starts:
            serve_an_app(studio, tmp_path, "roof")
    assert_hidden(starts)
