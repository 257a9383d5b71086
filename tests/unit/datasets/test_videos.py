"""Videos as data: frames spread evenly, prepared as pictures are; misuse in one sentence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy
import pytest

from studio.api import InvalidData, TensorType, Unavailable, Value
from studio.datasets import open_dataset, video

INPUT = (Value("image", TensorType("float32", (None, 3, 16, 24))),)
PREPROCESS = 'resize = "stretch"\nheight = 16\nwidth = 24\n'


def written(path: Path, frames: int, *, kind: str = "MJPG") -> Path:
    """A video whose frames get brighter; its codec comes with OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*kind), 10, (48, 32))
    for index in range(frames):
        writer.write(numpy.full((32, 48, 3), 10 * index, numpy.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "preprocess.toml").write_text(PREPROCESS)
    return tmp_path


@pytest.mark.parametrize(("name", "kind"), [("a.avi", "MJPG"), ("a.mp4", "mp4v")])
def test_frames_are_spread_evenly(folder: Path, name: str, kind: str) -> None:
    path = written(folder / name, 20, kind=kind)
    data = open_dataset(path, INPUT, 5)
    samples = list(data)
    assert len(data) == len(samples) == 5
    assert [sample.name for sample in samples] == [f"{name}, frame {n}" for n in (1, 5, 9, 13, 17)]
    arrays = [sample.feeds["image"] for sample in samples]
    assert {array.shape for array in arrays} == {(1, 3, 16, 24)}
    found = [float(array.mean()) * 255 for array in arrays]
    assert found == pytest.approx([0, 40, 80, 120, 160], abs=4)
    assert [s.name for s in data] == [s.name for s in samples]  # it can be read again


def test_a_folder_of_videos(folder: Path) -> None:
    written(folder / "a.avi", 4)
    written(folder / "b.avi", 6)
    names = [sample.name for sample in open_dataset(folder, INPUT, 5)]
    assert names == [
        "a.avi, frame 1",
        "a.avi, frame 3",
        "b.avi, frame 1",
        "b.avi, frame 3",
        "b.avi, frame 5",
    ]


def refused(path: Path, inputs: tuple[Value, ...] = INPUT) -> str:
    with pytest.raises(InvalidData) as caught:
        list(open_dataset(path, inputs))
    return caught.value.message


def test_misuse_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    path = written(folder / "a.avi", 3)
    assert "can only be given to a model with one input" in refused(path, (*INPUT, *INPUT))
    assert "wants float32" in refused(path, (Value("x", TensorType("float32", (1, 1, 9, 9))),))
    (folder / "damaged.mp4").write_bytes(b"no video at all")
    assert refused(folder / "damaged.mp4").startswith("damaged.mp4 cannot be opened as a video")
    (folder / "preprocess.toml").unlink()
    assert "holds a video but no preprocess.toml" in refused(path)


def test_without_opencv_the_line_that_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(folder / "a.avi", 3)
    monkeypatch.setattr(video.importlib, "import_module", _missing)
    with pytest.raises(Unavailable, match="need OpenCV") as caught:
        open_dataset(path, INPUT)
    assert "opencv-python-headless>=4.10" in caught.value.hint


def _missing(name: str) -> None:
    raise ImportError(name)
