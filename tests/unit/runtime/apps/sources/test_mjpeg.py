"""Parts of an MJPEG stream are found however they are cut, within limits of size and time."""

from __future__ import annotations

import itertools

import pytest

from studio.runtime.apps.sources import mjpeg
from studio.runtime.apps.sources.mjpeg import PartReader, Snapshots, SnapshotSettings

PICTURES = [b"\xff\xd8one\xff\xd9", b"\xff\xd8" + b"two\r\n\r\n" * 9 + b"\xff\xd9", b"\xff\xd8x"]


def stream(sized: bool, mark: bytes = b"--cut", end: bytes = b"\r\n") -> bytes:
    found = b"preamble" + end
    for one in PICTURES:
        length = b"Content-Length: %d" % len(one) + end if sized else b""
        found += mark + end + b"Content-Type: image/jpeg" + end + length + end + one + b"\r\n"
    return found + mark + b"--" + end


def reader(content: bytes, size: int, boundary: str = "cut") -> PartReader:
    pieces = iter([content[at : at + size] for at in range(0, len(content), size)])
    return PartReader(boundary, lambda: next(pieces, b""), 4.0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("sized", [True, False])
def test_parts_are_whole_in_whatever_pieces_they_come(size: int, sized: bool) -> None:
    parts = reader(stream(sized), size)
    assert [parts.next() for _ in range(3)] == PICTURES
    assert parts.next() == b""


@pytest.mark.parametrize("boundary", ["cut", "--cut"])
def test_a_boundary_may_be_given_with_its_dashes(boundary: str) -> None:
    assert reader(stream(False), 64, boundary).next() == PICTURES[0]


def test_lines_may_end_without_a_carriage_return() -> None:
    parts = reader(stream(True, end=b"\n"), 5)
    assert [parts.next() for _ in range(3)] == PICTURES


def test_a_stream_cut_in_a_picture_gives_no_half_picture() -> None:
    content = stream(True)
    parts = reader(content[: content.index(b"two") + 5], 8)
    assert parts.next() == PICTURES[0]
    assert parts.next() == b""


@pytest.mark.parametrize("head", [b"Content-Length: 99999999\r\n\r\n", b"\r\n"])
def test_a_picture_that_is_too_large_is_refused_before_memory_is_full(
    monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(mjpeg, "MOST_BYTES", 5000)
    endless = itertools.chain([b"--cut\r\n" + head], itertools.repeat(b"x" * 1000))
    pieces = 0

    def piece() -> bytes:
        nonlocal pieces
        pieces += 1
        return next(endless)

    with pytest.raises(OSError, match="more than 16 MB"):
        PartReader("cut", piece, 4.0).next()
    assert pieces < 10


def test_a_header_without_an_end_is_refused() -> None:
    endless = itertools.chain([b"--cut\r\n"], itertools.repeat(b"X-Header: 1\r\n" * 100))
    with pytest.raises(OSError, match="no end of its header"):
        PartReader("cut", lambda: next(endless), 4.0).next()


def test_a_picture_that_trickles_is_given_up_in_time() -> None:
    now = 0.0

    def piece() -> bytes:
        nonlocal now
        now += 0.5
        return b"--cut\r\n" if now == 0.5 else b"X"

    with pytest.raises(OSError, match="no whole picture for 4 s"):
        PartReader("cut", piece, 4.0, lambda: now).next()
    assert now == 4.5


def test_a_snapshot_counts_as_late_after_its_pace_and_its_time_out() -> None:
    assert SnapshotSettings("http://camera/", every_s=60.0, timeout_s=4.0).silence_s == 64.0


def test_snapshots_do_not_hurry_after_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    taken: list[float] = []

    def content(self: Snapshots) -> bytes:
        nonlocal now
        taken.append(now)
        now += 3.5 if len(taken) == 1 else 0.25
        return b""

    def pause(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(Snapshots, "_content", content)
    monkeypatch.setattr(mjpeg, "decoded", lambda content: content)
    camera = Snapshots(SnapshotSettings("http://camera/"), lambda: now, pause)
    while len(taken) < 4:
        camera.read()
    assert taken[:2] == [0.0, 3.5]
    assert taken[2] >= 4.0
    assert taken[3] - taken[2] == pytest.approx(1.0)
