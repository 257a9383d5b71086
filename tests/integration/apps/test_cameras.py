"""Cameras that are killed, hang, change their size or send what is no picture."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from studio.runtime.apps.reader import LOST, RUNNING
from tests.integration.apps.cameras import CameraProcess, Desk, report
from tests.rigs.boards import until
from tests.rigs.patience import patience

pytestmark = [pytest.mark.rig]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n"
_HALF = b"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: 5000\r\n\r\n\xff\xd8half a picture"

Make = Callable[..., CameraProcess]


@pytest.fixture
def camera() -> Iterator[Make]:
    made: list[CameraProcess] = []

    def make(*options: str) -> CameraProcess:
        made.append(CameraProcess(options=options))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.kill()


def source(camera: CameraProcess, **settings: object) -> dict[str, object]:
    return {"type": "mjpeg", "url": f"http://127.0.0.1:{camera.port}/", **settings}


def test_a_camera_that_is_killed_is_lost_at_once_and_read_as_soon_as_it_is_back(
    camera: Make,
) -> None:
    one = camera()
    desk = Desk({"door": source(one)})
    reader = desk.reader("door")
    losses, returns = [], []
    for _ in range(5):
        until(lambda: reader.state == RUNNING, "pictures come")
        one.kill()
        losses.append(desk.seconds_until(lambda: reader.state == LOST, patience(1.0)))
        time.sleep(1.0)
        one.start()
        frames = reader.frames
        returns.append(desk.seconds_until(lambda: reader.frames > frames, patience(2.0)))  # noqa: B023
    desk.engine.stop()
    report(
        f"killed: lost after {max(losses):.3f} s, first frame after {max(returns):.3f} s at most"
    )
    assert desk.kinds("door") == ["source-lost", "source-back"] * 5


def test_a_camera_that_hangs_is_lost_in_five_seconds_and_the_others_keep_their_rate(
    camera: Make,
) -> None:
    one, other = camera(), camera("--fps", "20")
    desk = Desk({"door": source(one), "gate": source(other)})
    hung, free = desk.reader("door"), desk.reader("gate")
    until(lambda: hung.frames > 5 and free.frames > 5, "pictures come")
    before, began = free.frames, time.monotonic()
    one.hang()
    lost = desk.seconds_until(lambda: hung.state == LOST, patience(5.0))
    while time.monotonic() - began < 8.0:
        time.sleep(0.05)
    rate = (free.frames - before) / (time.monotonic() - began)
    one.go_on()
    frames = hung.frames
    back = desk.seconds_until(lambda: hung.frames > frames, patience(2.0))
    desk.engine.stop()
    report(
        f"hung: lost after {lost:.2f} s, back {back:.2f} s; the other keeps {rate:.2f} of 20 fps"
    )
    assert desk.kinds("door") == ["source-lost", "source-back"]
    assert desk.kinds("gate") == []
    assert rate >= 0.95 * 20 or patience(1.0) > 1.0  # on a loaded machine the camera itself is late


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "the camera does not answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", "the camera does not answer"),
        (_HEAD, "the camera does not answer"),
        (_HEAD + _HALF, "the camera does not answer"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "the camera answers with 401"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the camera does not answer in HTTP"),
        (_HEAD.replace(b"multipart", b"text"), "the camera gives text/x-mixed-replace"),
    ],
)
def test_a_camera_that_accepts_and_stops_anywhere_is_lost_with_a_reason(
    sent: bytes, reason: str
) -> None:
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    link, _ = server.accept()
                    taken.append(link)
                    link.recv(4096)
                    link.sendall(sent)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        desk = Desk({"door": {"type": "mjpeg", "url": url, "timeout_s": 0.4}})
        reader = desk.reader("door")
        try:
            until(lambda: reader.reason.startswith(reason), "the reason is known")
        finally:
            desk.engine.stop()
            server.shutdown(socket.SHUT_RDWR)
            thread.join(20)
            for link in taken:
                link.close()
    assert desk.kinds("door") == ["source-lost"]


def test_pictures_of_another_size_in_the_middle_of_the_stream_are_read(camera: Make) -> None:
    one = camera("--resize-after", "10")
    desk = Desk({"door": source(one)})
    widths: set[int] = set()

    def seen() -> bool:
        latest = desk.engine.latest.get("door")
        widths.update([latest.values["door"].shape[1]] if latest else [])
        return widths == {160, 320}

    until(seen, "both sizes")
    desk.engine.stop()
    assert desk.kinds("door") == []


def test_a_stream_of_another_codec_is_lost_with_a_reason(camera: Make) -> None:
    one = camera("--wrong-codec", "--fps", "200")
    desk = Desk({"door": source(one)})
    reader = desk.reader("door")
    until(lambda: reader.state == LOST, "it is lost")
    desk.engine.stop()
    assert reader.reason == "the stream gives no pictures that can be read here"
    assert desk.kinds("door") == ["source-lost"]


def test_single_pictures_come_at_their_pace(camera: Make) -> None:
    one = camera()
    url = f"http://127.0.0.1:{one.port}/still.jpg"
    desk = Desk({"door": {"type": "snapshot", "url": url, "every_s": 0.05, "timeout_s": 2.0}})
    reader = desk.reader("door")
    until(lambda: reader.frames > 20, "pictures come")
    one.kill()
    until(lambda: reader.state == LOST, "it is lost")
    one.start()
    frames = reader.frames
    until(lambda: reader.frames > frames, "it is back")
    desk.engine.stop()
    assert desk.kinds("door") == ["source-lost", "source-back"]
