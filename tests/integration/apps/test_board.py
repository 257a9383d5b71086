"""An app on a real board over SSH: wheels, a unit of events, a rollback to the app before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.apps.event_match import match_events
from tests.e2e.conftest import Studio
from tests.rigs.apps import make_app
from tests.rigs.boards import Board, Network, shown, until

_LONG = 600
_ROOT = "/root/.edgewright"

pytestmark = pytest.mark.needs("sshd", "ip", "unshare", "nsenter")

_ASK = (
    "import json,sys,urllib.request\n"
    "found = urllib.request.urlopen(sys.argv[1] + sys.argv[2], timeout=20)\n"
    "print(found.read().decode())"
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("desk"))
    key = ("--key-file", board.key_file, "--accept-host-key", shown(board.host_key))
    studio.ok("target", "add", "gate", board.url, *key)
    return studio


def ask(board: Board, endpoint: str, path: str) -> Any:
    """GET from the board's own server, on the board."""
    return json.loads(board.run("python3", "-c", _ASK, endpoint, path))


def crossings(board: Board, endpoint: str) -> list[dict[str, Any]]:
    found = ask(board, endpoint, "/edgewright/app/events?limit=1000")["events"]
    return [one for one in found if one["kind"] == "crossing"]


def app(folder: Path, seed: int, title: str) -> list[dict[str, Any]]:
    """An app whose film travels with it."""
    top = f'files = ["film.avi"]\nnotice = "{title}"'
    return make_app(folder, frames=300, seed=seed, top=top)


def test_events_on_the_board_are_those_of_the_desk(
    desk: Studio, board: Board, tmp_path: Path
) -> None:
    truth = app(tmp_path / "one", 3, "one")
    tested = desk.ok("app", "test", tmp_path / "one")
    assert tested["passed"]
    deployed = desk.ok("deploy", tmp_path / "one", "--target", "gate", timeout=_LONG)
    endpoint = str(deployed["endpoint"])
    until(lambda: len(crossings(board, endpoint)) >= len(truth), "all crossings", 60)
    found = crossings(board, endpoint)
    match = match_events(truth, found, 0.2, ("direction",))
    assert (match.missing, match.extra) == ((), ())
    state = ask(board, endpoint, "/edgewright/app")
    assert state["failed"] == 0
    assert {one["notice"] for one in found} == {"one"}

    other = app(tmp_path / "two", 4, "two")
    desk.ok("deploy", tmp_path / "two", "--target", "gate", timeout=_LONG)
    until(lambda: len(crossings(board, endpoint)) >= len(truth) + len(other), "crossings", 60)
    desk.ok("rollback", "--target", "gate", timeout=_LONG)
    until(lambda: crossings(board, endpoint)[-1]["notice"] == "one", "the app before", 60)
    ids = [one["id"] for one in crossings(board, endpoint)]
    assert len(set(ids)) == len(ids)


def test_variables_are_set_from_the_desk(desk: Studio, board: Board, tmp_path: Path) -> None:
    make_app(tmp_path / "own", frames=300, seed=7, top='files = ["film.avi"]')
    path = tmp_path / "own" / "app.toml"
    text = path.read_text().replace("[variables]\n", '[variables]\nPLACE = "north"\n')
    text = text.replace('path = "events.jsonl"', 'path = "${PLACE}.jsonl"')
    path.write_text(text)
    endpoint = str(desk.ok("deploy", path.parent, "--target", "gate", timeout=_LONG)["endpoint"])
    done = desk.ok("app", "variables", "gate", "PLACE=south", timeout=_LONG)
    assert done["restarted"]
    mode = board.run("stat", "-c", "%a", f"{_ROOT}/app-variables.json").strip()
    assert mode == "600"
    until(lambda: "south.jsonl" in board.run("ls", f"{_ROOT}/run/app"), "the other file", 60)
    assert ask(board, endpoint, "/edgewright/app")["state"] == "running"
    rows = desk.ok("app", "variables", "gate")["variables"]
    place = next(one for one in rows if one["name"] == "PLACE")
    assert (place["value"], place["origin"]) == ("south", "board")
    refused = desk.run("app", "variables", "gate", "PLAICE=x")
    assert refused.code == 1
    assert "did you mean PLACE?" in refused.err
    back = desk.ok("app", "variables", "gate", "--unset", "PLACE", timeout=_LONG)
    assert next(one for one in back["variables"] if one["name"] == "PLACE")["value"] == "north"


def test_an_app_that_cannot_start_is_taken_back(desk: Studio, board: Board, tmp_path: Path) -> None:
    app(tmp_path / "good", 5, "good")
    desk.ok("deploy", tmp_path / "good", "--target", "gate", timeout=_LONG)
    app(tmp_path / "bad", 6, "bad")
    path = tmp_path / "bad" / "app.toml"
    text = path.read_text().replace("[sinks.log]", "[sinks.log]\nmax_mb = -1.0")
    path.write_text(text)
    refused = desk.run("deploy", tmp_path / "bad", "--target", "gate", timeout=_LONG)
    assert refused.code == 1
    assert "its app does not run" in refused.err
    assert "max_mb is above 0" in refused.err
    desk.ok("undeploy", "--target", "gate", "--purge", timeout=_LONG)
