"""A real video file, written and read with OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy
import pytest

from studio.api import InvalidData, TensorType, Value
from studio.datasets import Preprocess
from studio.monitoring.stream.source import open_source

INPUT = Value("image", TensorType("float32", (None, 3, 48, 64)))


def test_frames_of_a_video_come_in_order_with_its_pace(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for shade in (0, 120, 240):
        writer.write(numpy.full((48, 64, 3), (0, 0, shade), dtype=numpy.uint8))  # BGR: red
    writer.release()
    source = open_source(str(path), [INPUT], Preprocess())
    assert (source.fps, source.is_live) == (20, False)
    shots = [frame.shoot() for frame in source]
    reds = [float(shot.feeds["image"][0, 0].mean()) * 255 for shot in shots]
    assert reds == pytest.approx([0, 120, 240], abs=6)
    assert shots[2].feeds["image"][0, 2].max() < 0.1
    again = [frame.name for frame in source]
    assert again == ["frame 1", "frame 2", "frame 3"]


def test_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InvalidData, match=r"film\.mp4 cannot be opened"):
        open_source(str(path), [INPUT], Preprocess())
