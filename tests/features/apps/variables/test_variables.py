"""Variables of an app on this computer: set, hidden, refused, put back, taken away."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.features.apps.variables.work import read_values
from studio.runtime.release.store.layout import APP_VARIABLES
from studio.runtime.serve.apps import bundle
from studio.targets.connect import place_of
from studio.workspace import Workspace
from tests.rigs.apps import make_app

_SINK = """
[sinks.hook]
type = "webhook"
input = "gate"
url = "http://${RECEIVER}/events"
token = "${GATE_CODE}"
"""


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


@pytest.fixture
def root(workspace: Workspace) -> Path:
    return Path(place_of(workspace.registry.target("local")))


def make(folder: Path) -> Path:
    """An app with an address and a token of the board."""
    make_app(folder, frames=40, source="realtime = true\nloop = true", top='files = ["film.avi"]')
    path = folder / "app.toml"
    values = '[variables]\nGATE_CODE = "none"\nRECEIVER = "127.0.0.1:9"\n'
    path.write_text(path.read_text().replace("[variables]\n", values) + _SINK)
    return folder


def change(workspace: Workspace, folder: Path, text: str, **options: Any) -> dict[str, Any]:
    file = folder / "values.txt"
    file.write_text(text)
    outcome = workspace.run("app-set-variables", target="local", file=str(file), **options)
    assert outcome.ok, outcome.sentence
    return outcome.document


def refusal(workspace: Workspace, folder: Path, text: str, **options: Any) -> str:
    file = folder / "values.txt"
    file.write_text(text)
    given = {"file": str(file)} if text else {}
    outcome = workspace.run("app-set-variables", target="local", **given, **options)
    assert not outcome.ok
    return outcome.sentence


def rows(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {one["name"]: (one["value"], one["origin"]) for one in document["variables"]}


def test_the_server_reads_the_file_that_the_release_machine_writes() -> None:
    assert APP_VARIABLES == bundle.VARIABLES


@pytest.mark.slow
def test_variables_are_set_hidden_and_taken_away(
    workspace: Workspace, root: Path, tmp_path: Path
) -> None:
    deployed = workspace.run("deploy", model=str(make(tmp_path / "gate")), target="local")
    assert deployed.ok, deployed.sentence
    before = rows(workspace.run("app-variables", target="local").document)
    assert before["FILM"] == ("film.avi", "app")
    assert before["GATE_CODE"] == ("***", "app")

    text = "# of the gate\nGATE_CODE=hunter2=x\nRECEIVER=127.0.0.1:8\n"
    done = change(workspace, tmp_path, text)
    assert done["restarted"]
    assert "hunter2" not in json.dumps(done)
    assert rows(done)["GATE_CODE"] == ("***", "board")
    file = root / APP_VARIABLES
    assert json.loads(file.read_text())["GATE_CODE"] == "hunter2=x"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    log = (root / "log.jsonl").read_text()
    assert "GATE_CODE" in log
    assert "hunter2" not in log
    again = change(workspace, tmp_path, text)
    assert not again["changed"]
    assert not again["restarted"]

    back = workspace.run("app-set-variables", target="local", unset=["GATE_CODE", "RECEIVER"])
    assert rows(back.document)["RECEIVER"] == ("127.0.0.1:9", "app")
    assert not file.exists()


@pytest.mark.slow
def test_values_that_end_the_app_are_put_back(
    workspace: Workspace, root: Path, tmp_path: Path
) -> None:
    assert workspace.run("deploy", model=str(make(tmp_path / "gate")), target="local").ok
    change(workspace, tmp_path, "RECEIVER=127.0.0.1:10")
    sentence = refusal(workspace, tmp_path, "RECEIVER=no host/")
    assert "the app does not run" in sentence
    assert sentence.endswith("The former ones are in force.")
    assert json.loads((root / APP_VARIABLES).read_text()) == {"RECEIVER": "127.0.0.1:10"}
    status = workspace.run("target-look", target=["local"]).document["targets"][0]
    assert status["state"] == "serving"
    next_one = "NEXT=rtsp://ann:pw@camera/one?key=7\nLOGIN=ann:pw@camera"
    ahead = rows(change(workspace, tmp_path, next_one, ahead=True))
    assert ahead["NEXT"] == ("rtsp://***@camera/one?***", "board")
    assert ahead["LOGIN"] == ("***@camera", "board")
    assert refusal(workspace, tmp_path, "RECEIVR=a").endswith("did you mean RECEIVER?")
    assert "cannot be a variable" in refusal(workspace, tmp_path, "../x=a")
    assert "has no value on this target" in refusal(workspace, tmp_path, "", unset=["FILM"])
    assert workspace.run("undeploy", target="local", purge=True).ok
    assert not (root / APP_VARIABLES).exists()


@pytest.mark.slow
def test_a_target_without_an_app_is_told(workspace: Workspace) -> None:
    outcome = workspace.run("app-variables", target="local")
    assert outcome.sentence == "local has no release."


@pytest.mark.parametrize("content", [b"hunter2", b"=hunter2", b"\xff\xfe", b"A=" + b"x" * 70_000])
def test_a_file_of_another_form_is_refused_without_its_content(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "values.txt"
    path.write_bytes(content)
    with pytest.raises(UsageError) as error:
        read_values(path)
    assert "hunter2" not in str(error.value)
