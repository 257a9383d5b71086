"""A real RTSP server that is killed, started again, and hangs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from studio.runtime.apps.parts import AppContext
from studio.runtime.apps.reader import LOST, RUNNING
from studio.runtime.apps.sources.video import TYPES, StreamSettings
from tests.conftest import IN_CI
from tests.integration.apps.cameras import CameraProcess, Desk, report
from tests.rigs.boards import until
from tests.rigs.patience import patience

pytestmark = [pytest.mark.rig, pytest.mark.slow]

PYTHON = "/usr/bin/python3"
_PARTS = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"
)


@pytest.fixture(scope="module", autouse=True)
def _server() -> None:
    """Skip without the server's packages; in CI that is a failure."""
    try:
        done = subprocess.run([PYTHON, "-c", _PARTS], capture_output=True, timeout=60)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode:
        text = "the RTSP server of GStreamer is not installed (packaging/system_packages.sh)"
        if IN_CI:
            pytest.fail(f"{text} (a part that is missing in CI is a failure)", pytrace=False)
        pytest.skip(text)


@pytest.fixture
def camera() -> Iterator[CameraProcess]:
    found = CameraProcess((PYTHON, str(Path(__file__).with_name("rtsp_camera.py"))))
    found.start()
    yield found
    found.kill()


def app(camera: CameraProcess) -> Desk:
    return Desk({"door": {"type": "rtsp", "url": f"rtsp://127.0.0.1:{camera.port}/live"}})


def test_a_server_that_is_killed_is_lost_at_once_and_read_soon_after_it_is_back(
    camera: CameraProcess,
) -> None:
    desk = app(camera)
    reader = desk.reader("door")
    losses, returns = [], []
    for _ in range(5):
        until(lambda: reader.state == RUNNING, "pictures come", 20)
        time.sleep(1.0)
        camera.kill()
        losses.append(desk.seconds_until(lambda: reader.state == LOST, patience(1.0)))
        time.sleep(2.0)
        frames = reader.frames
        camera.start()
        returns.append(desk.seconds_until(lambda: reader.frames > frames, patience(2.0)))  # noqa: B023
    desk.engine.stop()
    report(
        f"rtsp killed: lost after {max(losses):.3f} s, first frame after "
        f"{', '.join(f'{one:.2f}' for one in returns)} s"
    )
    assert desk.kinds("door") == ["source-lost", "source-back"] * 5


def test_a_server_that_hangs_is_lost_in_five_seconds(camera: CameraProcess) -> None:
    desk = app(camera)
    reader = desk.reader("door")
    until(lambda: reader.state == RUNNING and reader.frames > 10, "pictures come", 20)
    camera.hang()
    lost = desk.seconds_until(lambda: reader.state == LOST, patience(5.0))
    time.sleep(6.0)
    camera.go_on()
    frames = reader.frames
    back = desk.seconds_until(lambda: reader.frames > frames, patience(20.0))
    desk.engine.stop()
    report(f"rtsp hung: lost after {lost:.2f} s, first frame {back:.2f} s after it goes on")
    assert desk.kinds("door") == ["source-lost", "source-back"]


def test_frames_have_the_times_of_the_camera(camera: CameraProcess) -> None:
    """Also where they arrive late, as the reader was busy."""
    settings = StreamSettings(f"rtsp://127.0.0.1:{camera.port}/live")
    capture = TYPES["rtsp"].open(settings, cast(AppContext, None))
    times, arrivals = [], []
    for number in range(120):
        frame = capture.read()
        assert frame is not None
        assert frame.time is not None
        times.append(frame.time)
        arrivals.append(time.monotonic())
        time.sleep(0.2 if number % 20 == 19 else 0.0)  # four frames wait in the meantime
    capture.close()
    gaps = [abs(after - before - 0.05) for before, after in pairwise(times[20:])]
    late = [abs(after - before - 0.05) for before, after in pairwise(arrivals[20:])]
    print(f"off by {max(gaps):.4f} s, arrivals by {max(late):.4f} s")
    assert max(gaps) < 0.02
    assert max(late) > 0.1
