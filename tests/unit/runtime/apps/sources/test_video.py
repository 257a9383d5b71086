"""Films end, streams are lost, and a camera that is switched off does not fill the log."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.sources.video import (
    TYPES,
    CameraSettings,
    StreamSettings,
    VideoSettings,
)
from studio.runtime.apps.store import MemoryStore
from tests.rigs.apps import film
from tests.unit.runtime.apps.parts import Context, document


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """Six numbered pictures of two sizes."""
    for number in range(6):
        width = 32 if number < 3 else 48
        cv2.imwrite(str(tmp_path / f"{number:04d}.png"), np.full((16, width, 3), number, np.uint8))
    return str(tmp_path / "%04d.png")


def test_a_film_ends_after_its_last_frame(pictures: str) -> None:
    film: Any = TYPES["video"].open(VideoSettings(pictures, fps=10.0, every=2), Context())
    times = [film.read().time for _ in range(3)]
    assert times == pytest.approx([0.0, 0.2, 0.4])
    assert film.read() is None
    film.close()


def test_a_film_played_at_its_own_pace_ends_and_is_not_taken_for_a_lost_camera(
    pictures: str,
) -> None:
    source = {"type": "video", "path": pictures, "fps": 200.0, "realtime": True}
    store = MemoryStore("yard")
    app = AppDocument.from_json(document(sources={"door": source}))
    engine = AppEngine(graph_of(app), Context(), store)
    engine.start()
    assert engine.wait(60)
    engine.stop()
    assert engine.readers[0].state == "ended"
    assert store.events == []


def test_a_stream_that_cannot_be_opened_is_one_sentence_and_no_line_in_the_log() -> None:
    code = (
        "import cv2\n"
        "from studio.runtime.apps.sources.video import TYPES, StreamSettings\n"
        "try:\n"
        "    TYPES['rtsp'].open(StreamSettings('rtsp://127.0.0.1:9/live'), None)\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("the stream cannot be opened\n", "")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The files of the test over HTTP."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_stream_that_ends_is_a_loss(tmp_path: Path, address: str) -> None:
    film(tmp_path / "film.avi", 6)
    stream: Any = TYPES["rtsp"].open(StreamSettings(f"{address}/film.avi"), Context())
    with pytest.raises(OSError, match="the stream has ended"):  # noqa: PT012
        for _ in range(7):
            assert stream.read() is not None
    stream.close()


_HOSTILE = (
    "concat:/etc/hostname|/etc/hostname",
    "concat://{film}",
    "file://{film}",
    "FILE://{film}",
    "{film}",
    "subfile,,start,0,end,0,,:{film}",
    "data://text/plain,x",
    "pipe://0",
    "crypto+file://{film}",
    "cache:{film}",
    "rtsp:{film}",
    " rtsp://camera/x",
)


@pytest.mark.parametrize("url", _HOSTILE)
def test_a_stream_reads_no_file_of_the_board(url: str, tmp_path: Path) -> None:
    film(tmp_path / "film.avi", 4)
    with pytest.raises(AppError, match="the url of a stream begins with one of: rtsp"):
        TYPES["rtsp"].open(StreamSettings(url.format(film=tmp_path / "film.avi")), Context())


def test_a_playlist_of_a_stream_reads_no_file_of_the_board(tmp_path: Path, address: str) -> None:
    film(tmp_path / "film.avi", 4)
    (tmp_path / "list.m3u8").write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
        f"file://{tmp_path}/film.avi\n#EXT-X-ENDLIST\n"
    )
    with pytest.raises(OSError, match="the stream cannot be opened"):
        TYPES["rtsp"].open(StreamSettings(f"{address}/list.m3u8"), Context())


@pytest.mark.parametrize("device", ["concat:/etc/hostname", "rtsp://camera/x", "film.avi", ""])
def test_a_camera_of_the_board_is_a_number_or_a_device(device: str) -> None:
    with pytest.raises(AppError, match="a camera is a number, or a path such as /dev/video0"):
        TYPES["camera"].open(CameraSettings(device), Context())


def test_numbered_pictures_are_files_not_addresses(tmp_path: Path) -> None:
    class Folder(Context):
        def file(self, name: str) -> str:
            raise AppError(f"The file {name} does not exist.")

    for path in ("concat:/etc/hostname|%d", "http://127.0.0.1:9/%d.jpg"):
        with pytest.raises(AppError, match="does not exist"):
            TYPES["video"].open(VideoSettings(path), Folder())
