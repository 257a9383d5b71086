"""Films end, streams are lost, and a camera that is switched off does not fill the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.sources.video import TYPES, StreamSettings, VideoSettings
from studio.runtime.apps.store import MemoryStore
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


def test_a_stream_that_ends_is_a_loss(pictures: str) -> None:
    stream: Any = TYPES["rtsp"].open(StreamSettings(pictures), Context())
    with pytest.raises(OSError, match="the stream has ended"):  # noqa: PT012
        for _ in range(7):
            assert stream.read() is not None
    stream.close()
