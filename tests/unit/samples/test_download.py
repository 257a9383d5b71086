"""The progress of a download that another program makes."""

from __future__ import annotations

from pathlib import Path

from studio.samples.download import DownloadProgress


class Watched:
    """A progress that keeps what it was given, and a clock that is set by hand."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, float, str]] = []
        self.now = 0.0

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.calls.append((done, total, text))

    def log(self, text: str) -> None:
        """Keep nothing."""

    def check(self) -> None:
        """Never cancel."""


def test_bytes_rate_and_time_left(tmp_path: Path) -> None:
    watched = Watched()
    shown = DownloadProgress(
        watched, "the-model", 20_000_000, (tmp_path, tmp_path / "none"), lambda: watched.now
    )
    part = tmp_path / "deep" / "part"
    part.parent.mkdir()
    watched.now = 100.0
    for moment, size in ((100.0, 0), (101.0, 1_000_000), (103.0, 5_000_000), (111.0, 20_000_000)):
        watched.now = moment
        part.write_bytes(b"\0" * size)
        shown.look()
    assert watched.calls == [
        (0, 20_000_000, "Connecting for the-model"),
        (1_000_000, 20_000_000, "Downloading the-model: 1.0 of 20.0 MB"),
        (
            5_000_000,
            20_000_000,
            "Downloading the-model: 5.0 of 20.0 MB, 2.5 MB/s, 6 s left",
        ),
        (20_000_000, 20_000_000, "Checking the-model"),
    ]


def test_a_moved_file_counts_once_and_an_unknown_size_is_no_share(tmp_path: Path) -> None:
    watched = Watched()
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        (folder / "wheel").write_bytes(b"\0" * 3_000_000)
    DownloadProgress(watched, "x", 0, (first, second), lambda: 5.0).look()
    assert watched.calls == [(3_000_000, 0, "Downloading x: 3.0 MB")]
