"""An app in a real server process: state, events, pictures, page, and a swap of versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.apps import app_bundle, make_app
from tests.unit.runtime.serve.rig import ServerProcess, wait_until

pytestmark = pytest.mark.slow

REPEATED = "realtime = true\nloop = true"
PREVIEW = "[preview]\nallowed = true\nblur = ['box']"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    make_app(tmp_path / "lanes", source=REPEATED, more=PREVIEW, top='notice = "For tests."')
    with _server(tmp_path, tmp_path / "lanes") as server:
        yield server


def _server(folder: Path, app: Path, version: int = 1, **variables: str) -> ServerProcess:
    bundle = app_bundle(folder, app, version)
    given = {"FILM": str(app / "film.avi"), **variables}
    return ServerProcess(
        f"--bundle={bundle.folder}",
        log=folder / f"server-{version}.log",
        EDGEWRIGHT_APP_DATA=str(folder / "data"),
        EDGEWRIGHT_APP_VARIABLES=json.dumps(given),
    )


def _crossings(server: ServerProcess) -> int:
    status, document = server.get("/edgewright/app")
    return int(document.get("events", {}).get("gate crossing", 0)) if status == 200 else 0


def test_events_of_a_film_are_served_in_their_order(served: ServerProcess) -> None:
    wait_until(lambda: _crossings(served) >= 4, "crossings")
    _, found = served.get("/edgewright/app/events?limit=1000")
    events = [one for one in found["events"] if one["kind"] == "crossing"]
    assert len(events) >= 4
    assert [one["time"] for one in events] == sorted(one["time"] for one in events)
    assert {one["direction"] for one in events} <= {"left", "right"}
    _, later = served.get(f"/edgewright/app/events?after={events[1]['id']}&limit=1")
    assert [one["id"] for one in later["events"]] == [events[2]["id"]]


def test_the_state_has_sources_steps_and_latency(served: ServerProcess) -> None:
    wait_until(lambda: _crossings(served) >= 1, "a crossing")
    _, found = served.get("/edgewright/app")
    assert found["notice"] == "For tests."
    assert found["sources"]["camera"]["state"] == "running"
    assert list(found["steps"]) == ["boxes", "tracks", "gate"]
    assert found["latency_ms"]["p95"] > 0
    assert found["sinks"]["log"]["type"] == "file"
    _, status = served.get("/edgewright/status")
    assert status["requests"] >= found["frames"]
    assert status["app"]["name"] == "lanes"


def test_metrics_count_frames_and_events(served: ServerProcess) -> None:
    wait_until(lambda: _crossings(served) >= 2, "crossings")
    rows = dict(
        line.rsplit(" ", 1)
        for line in served.get("/metrics")[1].decode().splitlines()
        if line.startswith("edgewright_app_")
    )
    assert int(rows['edgewright_app_frames_total{source="camera"}']) > 0
    assert rows['edgewright_app_source_up{source="camera"}'] == "1"
    assert int(rows['edgewright_app_events_total{step="gate",kind="crossing"}']) >= 2
    assert rows["edgewright_app_frames_failed_total"] == "0"
    assert 'edgewright_app_events_waiting{sink="log"}' in rows


def test_a_preview_is_a_picture_in_which_objects_are_blurred(served: ServerProcess) -> None:
    wait_until(lambda: _crossings(served) >= 1, "a crossing")
    status, content = served.get("/edgewright/app/preview?source=camera")
    assert status == 200
    assert content.startswith(b"\xff\xd8")
    status, document = served.get("/edgewright/app/preview?source=garden")
    assert (status, document["error"]) == (404, "The app has no such source.")


def test_clients_share_a_picture_until_the_next_one_is_due(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", source=REPEATED, more="[preview]\nallowed = true\nfps = 0.1")
    with _server(tmp_path, tmp_path / "lanes") as server:
        wait_until(lambda: _crossings(server) >= 1, "a crossing")
        first = server.get("/edgewright/app/preview?source=camera")
        frames = server.get("/edgewright/app")[1]["frames"]
        wait_until(lambda: server.get("/edgewright/app")[1]["frames"] > frames, "other frames")
        assert first[0] == 200
        assert server.get("/edgewright/app/preview?source=camera") == first
        assert server.get("/edgewright/app/preview?source=camera&overlay=0") != first


@pytest.mark.parametrize("limit", ["0", "-1", "many", "1001", "9" * 40])
def test_a_limit_that_is_none_is_refused(served: ServerProcess, limit: str) -> None:
    wait_until(lambda: _crossings(served) >= 1, "a crossing")
    status, document = served.get(f"/edgewright/app/events?limit={limit}")
    assert (status, document["error"]) == (400, "limit is from 1 to 1000.")


def test_the_page_allows_nothing_from_elsewhere(served: ServerProcess) -> None:
    connection = served.connect()
    connection.request("GET", "/app")
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    assert answer.getheader("Content-Security-Policy", "").startswith("default-src 'none'")
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert "innerHTML" not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")


def test_pictures_stay_on_the_board_unless_they_are_allowed(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", source=REPEATED)
    with _server(tmp_path, tmp_path / "lanes") as server:
        wait_until(lambda: _crossings(server) >= 1, "a crossing")
        status, document = server.get("/edgewright/app/preview?source=camera")
        assert (status, document["error"]) == (403, "This app lets no picture leave the board.")


def test_events_are_delivered_and_outlive_the_server(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", source=REPEATED)
    with _server(tmp_path, tmp_path / "lanes") as server:
        wait_until(lambda: _crossings(server) >= 3, "crossings")
        server.process.kill()
        server.process.wait(20)
    with _server(tmp_path, tmp_path / "lanes", 2) as server:
        wait_until(lambda: _crossings(server) >= 2, "crossings")
        _, found = server.get("/edgewright/app/events?limit=1000")

        def delivered() -> bool:
            state = server.get("/edgewright/app")[1]["sinks"]["log"]
            return bool(state["delivered"] >= len(found["events"]))

        wait_until(delivered, "deliveries")
    lines = (tmp_path / "data" / "events.jsonl").read_text().splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert {one["id"] for one in found["events"]} <= set(ids)
    assert len(set(ids)) >= 5


def test_two_servers_share_no_camera(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", source=REPEATED)
    with _server(tmp_path, tmp_path / "lanes") as first:
        wait_until(lambda: _crossings(first) >= 1, "a crossing")
        with _server(tmp_path, tmp_path / "lanes", 2) as second:
            assert second.get("/edgewright/app")[0] == 404
            first.stop()
            wait_until(lambda: _crossings(second) >= 1, "the second one's turn")


def test_a_variable_without_a_value_is_a_sentence_in_the_state(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes")
    text = (tmp_path / "lanes" / "app.toml").read_text()
    (tmp_path / "lanes" / "app.toml").write_text(text.replace('FILM = "film.avi"', ""))
    bundle_folder = tmp_path / "lanes"
    with pytest.raises(Exception, match="the variable FILM has no value"):
        app_bundle(tmp_path, bundle_folder)


def test_a_film_that_is_not_there_is_told_and_the_model_is_served(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes")
    with _server(tmp_path, tmp_path / "lanes", FILM="/nowhere/film.avi") as server:

        def told() -> bool:
            status, found = server.get("/edgewright/app")
            return bool(status == 200 and (found.get("fault") or _failed(found)))

        wait_until(told, "the sentence")
        assert server.get("/v2/health/ready")[0] == 200


def _failed(found: dict[str, dict[str, dict[str, str]]]) -> bool:
    return "does not exist" in found["sources"]["camera"]["reason"]
