"""What is put on the link: packed where that pays, as it is elsewhere; and what is told of it."""

from __future__ import annotations

import hashlib
import random
import time
from pathlib import Path

import numpy
import pytest

from studio.deployment.machine import upload as sending
from studio.deployment.machine.upload import Counter, Outgoing, Stream, Upload
from studio.runtime.release.intake.source import DEFLATED, END, FRAME_BYTES, HEADER, RAW, unpacked
from tests.rigs.bundles import QuietJob

FAST_S, SLOW_S = 1e-9, 1e-6
"""For a byte: 1 GB/s and 1 MB/s."""


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    perf_counter = staticmethod(time.thread_time)  # what packing costs, whatever else runs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(sending, "time", made)
    return made


def outgoing(folder: Path, name: str, content: bytes) -> Outgoing:
    path = folder / name
    path.write_bytes(content)
    return Outgoing(name, path, hashlib.sha256(content).hexdigest(), len(content))


def weights(count: int) -> bytes:
    """Floats as a trained layer has them: exponents alike, mantissas like noise."""
    return numpy.random.default_rng(1).standard_normal(count).astype("float32").tobytes()


def kinds(stream: Stream, clock: Clock, seconds: float) -> tuple[list[int], bytes]:
    """The kinds of all frames over a link that takes so long for a byte, and what they hold."""
    found, content = [], b""
    for frame in stream:
        kind, size = HEADER.unpack(frame[: HEADER.size])
        assert size == len(frame) - HEADER.size
        if kind != END:
            found.append(kind)
            content += unpacked(kind, frame[HEADER.size :])
        clock.now += seconds * len(frame)
    return found, content


def test_a_fast_link_gets_large_files_as_they_are(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(content: bytes) -> None:
        raise AssertionError("packing was tried on a link that is faster than any packing")

    content = weights(FRAME_BYTES)
    monkeypatch.setattr(sending._Shape, "of", never)
    stream = Stream([outgoing(tmp_path, "weights", content)])
    assert kinds(stream, clock, FAST_S) == ([RAW] * 4, content)


def test_a_slow_link_gets_them_packed(tmp_path: Path, clock: Clock) -> None:
    content = weights(FRAME_BYTES)
    stream = Stream([outgoing(tmp_path, "weights", content)])
    found, arrived = kinds(stream, clock, SLOW_S)
    assert found[0] == RAW  # nothing is known of the link yet
    assert RAW not in found[1:]
    assert arrived == content
    assert stream.sent < 0.95 * len(content)


def test_what_does_not_shrink_is_sent_as_it_is_on_any_link(tmp_path: Path, clock: Clock) -> None:
    content = random.Random(1).randbytes(2 * FRAME_BYTES)
    stream = Stream([outgoing(tmp_path, "noise", content)])
    assert kinds(stream, clock, SLOW_S) == ([RAW] * 2, content)


def test_small_files_are_packed_on_any_link(tmp_path: Path, clock: Clock) -> None:
    texts = [b"a label, and another label\n" * 500, b""]
    files = [outgoing(tmp_path, str(number), text) for number, text in enumerate(texts)]
    stream = Stream(files)
    assert kinds(stream, clock, FAST_S) == ([DEFLATED], texts[0])
    assert stream.sent < len(texts[0]) / 10


def test_small_frames_do_not_make_a_link_slow(tmp_path: Path, clock: Clock) -> None:
    """Each frame has its own cost, which is nearly all of what a small one takes."""
    files = [outgoing(tmp_path, str(number), bytes([number])) for number in range(20)]
    large = outgoing(tmp_path, "weights", weights(FRAME_BYTES))
    found = []
    for frame in Stream([large, *files, large]):
        found.append(HEADER.unpack(frame[: HEADER.size])[0])
        clock.now += 1e-5 + FAST_S * len(frame)
    large_frames = [kind for kind in found if kind != END]
    assert set(large_frames) == {RAW}


def test_what_is_told_has_a_rate_and_the_time_that_is_left(tmp_path: Path, clock: Clock) -> None:
    job = QuietJob(tmp_path / "job")
    told: list[tuple[float, float, str]] = []
    job.progress = lambda done, total, text="": told.append((done, total, text))  # type: ignore[method-assign]
    file = Outgoing("weights", tmp_path / "weights", "0" * 64, 100_000_000)
    counter = Counter(job, [file])
    for done in (0, 1_000_000, 10_000_000, 100_000_000):
        counter({"event": "progress", "done": done, "total": 100_000_000})
        clock.now += 2.0 if done < 5_000_000 else 20.0
    assert [one[2] for one in told] == [
        "Sending: 0.0 of 100.0 MB",
        "Sending: 1.0 of 100.0 MB, 0.5 MB/s, 3 min left",
        "Sending: 10.0 of 100.0 MB, 2.5 MB/s, 36 s left",
        "Sending: 100.0 of 100.0 MB, 4.2 MB/s, 0 s left",
    ]
    assert [one[:2] for one in told][-1] == (100_000_000, 100_000_000)


def test_what_was_kept_does_not_count_as_speed(tmp_path: Path, clock: Clock) -> None:
    job = QuietJob(tmp_path / "job")
    texts: list[str] = []
    job.progress = lambda done, total, text="": texts.append(text)  # type: ignore[method-assign]
    file = Outgoing("weights", tmp_path / "w", "0" * 64, 100_000_000, offset=90_000_000)
    counter = Counter(job, [file])
    clock.now += 2.0
    counter({"event": "progress", "done": 92_000_000, "total": 100_000_000})
    assert texts == ["Sending: 92.0 of 100.0 MB, 1.0 MB/s, 8 s left"]


def test_a_delivery_waits_for_what_lacks(tmp_path: Path) -> None:
    files = [outgoing(tmp_path, name, name.encode()) for name in ("here", "there")]
    delivery = Upload(files, QuietJob(tmp_path / "job"))
    delivery.watch({"event": "missing", "missing": {files[1].digest: 5}, "partial": {}})
    assert [one.name for one in delivery.files] == ["there"]
    assert b"there" in b"".join(delivery.frames())


def test_small_files_are_counted_in_kilobytes(tmp_path: Path, clock: Clock) -> None:
    job = QuietJob(tmp_path / "job")
    texts: list[str] = []
    job.progress = lambda done, total, text="": texts.append(text)  # type: ignore[method-assign]
    counter = Counter(job, [Outgoing("weights", tmp_path / "w", "0" * 64, 61_000)])
    counter({"event": "progress", "done": 18_000, "total": 61_000})
    assert texts == ["Sending: 18 of 61 kB"]
