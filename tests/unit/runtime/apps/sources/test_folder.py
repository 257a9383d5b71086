"""Pictures of a folder come in the order of their names, or each once it is whole."""

from __future__ import annotations

import builtins
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.runtime.apps.parts import IDLE, SourceFrame
from studio.runtime.apps.sources import pictures
from studio.runtime.apps.sources.folder import TYPES, FolderSettings, WatchedFolder
from tests.unit.runtime.apps.parts import Context


def content(level: int, form: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (level, 0, 200)).save(file, form)
    return file.getvalue()


def capture(folder: Path, **settings: Any) -> Any:
    return TYPES["folder"].open(FolderSettings(str(folder), **settings), Context())


def test_pictures_come_in_the_order_of_their_names_and_end(tmp_path: Path) -> None:
    for number, name in enumerate(["b.png", "c.PNG", "a.png"]):
        (tmp_path / name).write_bytes(content(number))
    (tmp_path / "notes.txt").write_text("no picture")
    one = capture(tmp_path, fps=2.0)
    frames = [one.read() for _ in range(3)]
    assert [frame.data[0, 0].tolist() for frame in frames] == [
        [2, 0, 200], [0, 0, 200], [1, 0, 200],
    ]  # fmt: skip
    assert [frame.time for frame in frames] == [0.0, 0.5, 1.0]
    assert one.read() is None


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"none")
    with pytest.raises(OSError, match=r"a\.jpg: not a picture"):
        capture(tmp_path).read()


class Watch:
    """A watched folder whose time the test moves."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        settings = FolderSettings(str(folder), watch=True)
        self.folder = WatchedFolder(settings, str(folder), lambda: self.now, self._pause)

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def frames(self, looks: int = 3) -> list[int]:
        """Levels of the pictures that some looks give."""
        found = [self.folder.read() for _ in range(looks)]
        return [
            int(one.data[0, 0, 0])
            for one in found
            if isinstance(one, SourceFrame) and one is not IDLE
        ]


def test_only_new_files_are_given_each_once_and_the_oldest_first(tmp_path: Path) -> None:
    (tmp_path / "old.png").write_bytes(content(1))
    watch = Watch(tmp_path)
    assert watch.frames() == []
    for name, level, moment in (("b.png", 2, 100), ("a.png", 3, 200)):
        (tmp_path / name).write_bytes(content(level))
        os.utime(tmp_path / name, (moment, moment))
    assert watch.frames(6) == [2, 3]
    (tmp_path / "b.png").write_bytes(content(4, size=(9, 9)))
    assert watch.frames() == [4]
    (tmp_path / "a.png").unlink()
    assert watch.frames() == []


def test_a_file_that_is_written_slowly_is_given_when_it_is_whole(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    whole = content(5, size=(300, 300))
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 3])
    assert watch.frames(5) == []
    (tmp_path / "a.png").write_bytes(whole)
    assert watch.frames() == [5]


def test_a_file_that_stays_no_picture_is_read_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(tmp_path)
    (tmp_path / "a.png").write_bytes(b"none")
    assert watch.frames(60) == []
    assert watch.now > 10
    monkeypatch.setattr("studio.runtime.apps.sources.folder.decoded", lambda content: 1 / 0)
    assert watch.frames(3) == []


def test_a_watched_folder_that_is_removed_is_a_loss(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    watch = Watch(tmp_path / "in")
    (tmp_path / "in").rmdir()
    with pytest.raises(FileNotFoundError):
        watch.frames()


@pytest.mark.parametrize("settings", [{"fps": 0.0}, {"watch": True, "every_s": 0.0}])
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(OSError, match="above 0"):
        capture(tmp_path, **settings)


@pytest.fixture(params=["cv2", "PIL"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one library that is installed."""
    only: str = request.param
    real = builtins.__import__

    def imported(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] in {"cv2", "PIL"} - {only}:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", imported)
    return only


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_both_libraries_read_both_forms(library: str, form: str) -> None:
    red = np.zeros((16, 24, 3), np.uint8)
    red[..., 0] = 200
    data = {"PNG": _PNG, "JPEG": _JPEG}[form]
    found = pictures.decoded(data)
    assert found.shape == red.shape
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - red).max() <= 4


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"\xff\xd8\xff\xe0" + bytes(20)])
def test_both_libraries_refuse_what_is_no_picture(library: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="not a picture that can be read here"):
        pictures.decoded(data)


def test_a_huge_message_is_not_decoded() -> None:
    with pytest.raises(ValueError, match="16 MB"):
        pictures.decoded(bytes(pictures.MOST_BYTES + 1))


def _red(form: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), (200, 0, 0)).save(file, form, quality=100)
    return file.getvalue()


_PNG, _JPEG = _red("PNG"), _red("JPEG")
