"""Live pictures of an app: real clients, slow ones, too many, and none where it is not allowed."""

from __future__ import annotations

import http.client
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.settings import AppError
from tests.rigs.apps import FPS, HEIGHT, WIDTH, Scene, app_bundle, make_app
from tests.unit.runtime.serve.rig import ServerProcess, wait_until

pytestmark = pytest.mark.slow

_PREVIEW = "[preview]\nallowed = {}\nwidth = {}\n"
_SINK = '[sinks.live]\ntype = "mjpeg"\ninput = "camera"\nfps = 30.0\nclients = 2\n{}'
_PATH = "/edgewright/app/stream/live"


def start(
    folder: Path,
    allowed: bool = True,
    more: str = "",
    preview: str = "",
    width: int = 64,
    striped: bool = False,
) -> ServerProcess:
    text = _PREVIEW.format(str(allowed).lower(), width) + preview + _SINK.format(more)
    make_app(folder / "lanes", source="realtime = true\nloop = true", more=text)
    if striped:
        stripe(folder / "lanes" / "film.avi")
    server = ServerProcess(
        f"--bundle={app_bundle(folder, folder / 'lanes').folder}",
        log=folder / "server.log",
        EDGEWRIGHT_APP_DATA=str(folder / "data"),
        EDGEWRIGHT_APP_VARIABLES=json.dumps({"FILM": str(folder / "lanes" / "film.avi")}),
    )
    wait_until(lambda: frames(server) > 3, "frames")
    return server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with start(tmp_path_factory.mktemp("live")) as server:
        yield server


def frames(server: ServerProcess) -> int:
    status, document = server.get("/edgewright/app")
    return int(document.get("frames", 0)) if status == 200 else 0


def state(server: ServerProcess) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/edgewright/app")[1]["streams"]["live"]
    return found


def ask(server: ServerProcess, path: str = _PATH) -> http.client.HTTPResponse:
    link = server.connect()
    link.request("GET", path)
    return link.getresponse()


def refusal(server: ServerProcess, path: str = _PATH) -> tuple[int, str]:
    status, document = server.get(path)
    return status, document["error"]


def part(answer: http.client.HTTPResponse) -> tuple[dict[str, str], bytes]:
    """The next part of an endless answer."""
    line = answer.readline()
    while not line.startswith(b"--"):
        line = answer.readline()
    fields = dict(iter(lambda: answer.readline().decode().strip().split(": "), [""]))
    return fields, answer.read(int(fields["Content-Length"]))


def no_client(server: ServerProcess) -> bool:
    return bool(state(server)["clients"] == 0)


def test_parts_are_pictures_of_later_and_later_frames(served: ServerProcess) -> None:
    answer = ask(served)
    assert answer.status == 200
    assert answer.getheader("Content-Type", "").startswith("multipart/x-mixed-replace; boundary=")
    assert answer.getheader("Cache-Control") == "no-store"
    numbers = []
    for _ in range(4):
        fields, content = part(answer)
        numbers.append(int(fields["Edgewright-Frame"]))
        assert Image.open(io.BytesIO(content)).width == 64
    assert numbers == sorted(set(numbers))
    answer.close()
    wait_until(lambda: no_client(served), "the end of the client")


def test_opencv_reads_it_as_a_film(served: ServerProcess) -> None:
    film = cv2.VideoCapture(f"http://127.0.0.1:{served.port}{_PATH}", cv2.CAP_FFMPEG)
    pictures = [film.read()[1] for _ in range(5)]
    film.release()
    assert {one.shape for one in pictures} == {(round(HEIGHT * 64 / WIDTH), 64, 3)}
    assert any(np.any(one != pictures[0]) for one in pictures[1:])
    wait_until(lambda: no_client(served), "the end of the client")


def test_one_client_too_many_is_refused_and_others_go_on(served: ServerProcess) -> None:
    both = [ask(served), ask(served)]
    assert refusal(served) == (503, "Too many clients: 2 at most.")
    assert len({part(one)[0]["Edgewright-Frame"] for one in both for _ in range(3)}) >= 3
    for one in both:
        one.close()
    wait_until(lambda: no_client(served), "the end of the clients")
    again = ask(served)
    assert again.status == 200
    again.close()
    wait_until(lambda: no_client(served), "the end of the client")


def test_a_client_that_reads_nothing_holds_up_no_other(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        slow = socket.create_connection(("127.0.0.1", server.port))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.sendall(f"GET {_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_until(lambda: state(server)["clients"] == 1, "the slow client")
        before, answer = frames(server), ask(server)
        numbers = [int(part(answer)[0]["Edgewright-Frame"]) for _ in range(20)]
        assert numbers == sorted(set(numbers))
        assert frames(server) > before
        wait_until(lambda: state(server)["left_out"] > 0, "pictures left out", 120)
        assert part(answer)[1].startswith(b"\xff\xd8")
        answer.close()
        slow.close()
        wait_until(lambda: no_client(server), "the end of both")


def test_an_endless_answer_ends_with_the_server(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        answer = ask(server)
        part(answer)
        server.process.terminate()
        server.process.wait(20)
        rest = answer.read()
    assert len(rest) < 1 << 20


def test_nothing_is_shown_where_no_picture_may_leave(tmp_path: Path) -> None:
    with start(tmp_path, allowed=False) as server:
        assert refusal(server) == (403, "This app lets no picture leave the board.")
        assert state(server)["clients"] == 0


def test_the_blurred_class_cannot_be_recognised(tmp_path: Path) -> None:
    more: dict[str, Any] = {"more": "overlay = false\n", "width": WIDTH, "striped": True}
    with start(tmp_path / "clear", **more) as server:
        clear = stripes(server)
    with start(tmp_path / "blurred", preview="blur = ['box']\n", **more) as server:
        blurred = stripes(server)
    assert blurred < clear / 2  # the edges of the boxes themselves stay


def stripes(server: ServerProcess) -> int:
    """The number of sharp edges in some pictures."""
    answer, found = ask(server), 0
    for _ in range(40):
        picture = np.asarray(Image.open(io.BytesIO(part(answer)[1])).convert("L"), np.int16)
        found += int((np.abs(np.diff(picture, axis=1)) > 80).sum())
    answer.close()
    return found


def stripe(path: Path) -> None:
    """Write a film of a scene whose boxes have stripes."""
    fourcc = cv2.VideoWriter.fourcc(*"MJPG")
    writer, scene = cv2.VideoWriter(str(path), fourcc, FPS, (WIDTH, HEIGHT)), Scene(0)
    for _ in range(200):
        pixels = scene.next()[0]
        writer.write(pixels * (np.arange(WIDTH) // 2 % 2 == 0).astype(np.uint8)[None, :, None])
    writer.release()


def test_an_unknown_stream_is_not_found(served: ServerProcess) -> None:
    assert refusal(served, "/edgewright/app/stream/garden") == (404, "The app has no such stream.")


def document(**sink: object) -> AppDocument:
    return AppDocument.from_json(
        {
            "name": "a",
            "sources": {
                "camera": {"type": "video", "path": "a.avi"},
                "t": {"type": "csv", "path": "a", "rate_hz": 1},
            },
            "sinks": {"live": {"type": "mjpeg", **sink}},
        }
    )


@pytest.mark.parametrize("given", [["camera", "t"], "t"])
def test_its_input_is_one_source_of_pictures(given: object) -> None:
    with pytest.raises(AppError, match="its input is one source of pictures: camera"):
        graph_of(document(input=given))


@pytest.mark.parametrize(("name", "value"), [("fps", 31.0), ("width", 8), ("clients", 0)])
def test_settings_have_limits(name: str, value: object) -> None:
    (sink,) = graph_of(document(input="camera", **{name: value})).sinks
    with pytest.raises(AppError, match=f"sinks.live: {name} is from"):
        sink.type.make(sink.name, sink.settings, None)  # type: ignore[arg-type]
