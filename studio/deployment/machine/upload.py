"""The upload of a release: only missing files, compressed if that saves time.

One command on the target receives all files. The sender does not wait for answers between files,
so a slow link costs its delay once, not for each file.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from studio.deployment.machine.answers import MissingMessage, PartialFile, ProgressMessage
from studio.documents.dataclass_json import JsonValue, from_json
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.release.intake.source import (
    DEFLATED,
    END,
    FRAME_BYTES,
    HEADER,
    RAW,
    SHUFFLED,
    packed,
)
from studio.runtime.shared.files import digest_of

_SAMPLE_BYTES = 1 << 16
_MEGABYTE = 1_000_000
_LEAST_SAVING = 0.05
_CLEARLY = 2.0
"""Margin of the decision: a sender with a busy processor takes the link for slower than it is."""

_SLOW = 1 / 10e6
"""Seconds per byte. Faster links get no compression: a busy processor looks like a slow link."""

_MEMORY = 0.7
"""Weight of the earlier rate after a whole frame."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file to send.

    Attributes:
        offset: Size of the part that the target has from an earlier attempt.
        kept: Name of the file on the target that holds that part.
    """

    name: str
    path: Path
    digest: str
    size: int
    offset: int = 0
    kept: str = ""

    @classmethod
    def of(
        cls, name: str, path: Path, digest: str, size: int, partial: PartialFile | None
    ) -> Outgoing:
        """Return the file, shortened by the part on the target if that matches its beginning."""
        whole = cls(name, path, digest, size)
        if not partial or not 0 < partial.bytes <= size:
            return whole
        if digest_of(path, partial.bytes) != partial.sha256:
            return whole
        return cls(name, path, digest, size, partial.bytes, partial.name)

    def request(self) -> dict[str, JsonValue]:
        """Return the file as the verb ``receive`` announces it."""
        request: dict[str, JsonValue] = {"sha256": self.digest, "bytes": self.size}
        return request | ({"from": self.kept, "offset": self.offset} if self.offset else {})


class Stream:
    """The frames of several files in sequence.

    Attributes:
        sent: Bytes of all frames so far.
    """

    def __init__(self, files: Sequence[Outgoing]) -> None:
        self.sent = 0
        self._files = files
        self._pace = _LinkRate()

    @property
    def request(self) -> dict[str, JsonValue]:
        """The announcement of the files, sent before the frames."""
        return {"blobs": [file.request() for file in self._files]}

    def __iter__(self) -> Iterator[bytes]:
        for file in self._files:
            for frame in self._frames(file):
                self.sent += len(frame)
                asked = time.monotonic()
                yield frame
                # The reader asks for the next frame once the link has taken this one.
                self._pace.sent(len(frame), time.monotonic() - asked)

    def _frames(self, file: Outgoing) -> Iterator[bytes]:
        packer = _Packer(self._pace, always=file.size <= _SAMPLE_BYTES)
        with file.path.open("rb") as reader:
            reader.seek(file.offset)
            left = file.size - file.offset
            while left and (content := reader.read(min(FRAME_BYTES, left))):
                left -= len(content)
                yield packer.frame(content)
        yield HEADER.pack(END, 0)


class _Packer:
    """A writer of one file's frames, compressed if that saves time.

    Args:
        always: Compress without a test, as the file is no larger than the test's sample.
    """

    def __init__(self, pace: _LinkRate, *, always: bool) -> None:
        self._pace = pace
        self._always = always
        self._shape: _Shape | None = None

    def frame(self, content: bytes) -> bytes:
        """Return a frame: the header and the content."""
        kind = self._kind(content)
        frame = packed(content, kind)
        # Compression may make a frame larger, for example of weights that look random.
        if len(frame) >= len(content):
            kind, frame = RAW, content
        return HEADER.pack(kind, len(frame)) + frame

    def _kind(self, content: bytes) -> int:
        if not self._always and not self._pace.is_slow:
            return RAW
        shape = self._shape = self._shape or _Shape.of(content)
        return shape.kind if self._always or self._pace.pays(shape) else RAW


@dataclass(frozen=True, slots=True)
class _Shape:
    """The best compression of a file, measured on its beginning.

    Attributes:
        saving: Share of the bytes that compression saves.
        seconds: Processor time of compression per byte.
    """

    kind: int
    saving: float
    seconds: float

    @classmethod
    def of(cls, content: bytes) -> _Shape:
        sample = content[:_SAMPLE_BYTES]
        best = cls(RAW, 0.0, 0.0)
        for kind in (DEFLATED, SHUFFLED):
            began = time.perf_counter()
            saving = 1 - len(packed(sample, kind)) / len(sample)
            seconds = (time.perf_counter() - began) / len(sample)
            if saving > max(best.saving, _LEAST_SAVING):
                best = cls(kind, saving, seconds)
        return best


class Upload:
    """The upload of a target's missing files by one command.

    The target lists the missing files while the command runs; the frames follow that list.

    Attributes:
        files: The missing files, once the target has listed them.
    """

    def __init__(self, files: Sequence[Outgoing], job: Job) -> None:
        self.files: list[Outgoing] = []
        self._all = files
        self._job = job
        self._listed = threading.Event()
        self._stream = Stream(())
        self._counter: Counter | None = None

    @property
    def sent(self) -> int:
        """Bytes of all frames so far."""
        return self._stream.sent

    def watch(self, message: Mapping[str, JsonValue]) -> None:
        """Process a JSON line from the target: the list of missing files, or progress."""
        if message.get("event") == "missing":
            found = from_json(MissingMessage, message)
            self.files = [
                Outgoing.of(one.name, one.path, one.digest, one.size, found.partial.get(one.digest))
                for one in self._all
                if one.digest in found.missing
            ]
            self._stream = Stream(self.files)
            self._counter = Counter(self._job, self.files)
            self._listed.set()
        elif self._counter is not None:
            self._counter(message)

    def frames(self) -> Iterator[bytes]:
        """Yield the announcement and the frames, once the target has listed its missing files."""
        self._listed.wait()
        if self.files:
            yield json.dumps(self._stream.request).encode() + b"\n"
            yield from self._stream

    def end(self) -> None:
        """Release a waiting sender, as the command has ended."""
        self._listed.set()


class _LinkRate:
    """The rate of the link, measured by how long the sender is blocked."""

    def __init__(self) -> None:
        self._bytes = self._seconds = 0.0

    def sent(self, size: int, seconds: float) -> None:
        """Add a frame's size and time; large frames replace more of the earlier rate."""
        kept = _MEMORY ** (size / FRAME_BYTES)
        self._bytes = kept * self._bytes + size
        self._seconds = kept * self._seconds + seconds

    @property
    def is_slow(self) -> bool:
        """Whether compression may take less time than it saves on the link."""
        return self._seconds > _SLOW * self._bytes

    def pays(self, shape: _Shape) -> bool:
        """Return whether compression takes clearly less time than it saves on the link."""
        return shape.saving * self._seconds > _CLEARLY * shape.seconds * self._bytes


class Counter:
    """A progress display of an upload, with its rate and its remaining time."""

    def __init__(self, job: Job, files: Sequence[Outgoing]) -> None:
        self._job = job
        self._total = sum(file.size for file in files)
        self._resumed = sum(file.offset for file in files)
        self._began = time.monotonic()

    def __call__(self, message: Mapping[str, JsonValue]) -> None:
        """Process a progress line from the target."""
        if message.get("event") != "progress":
            return
        done = from_json(ProgressMessage, message).done
        seconds = time.monotonic() - self._began
        rate = max(0, done - self._resumed) / seconds if seconds > 0 else 0.0
        whole = amount(self._total)
        text = f"Sending: {amount(done, self._total).rpartition(' ')[0]} of {whole}"
        if rate and seconds > 1:
            text += f", {rate / 1e6:,.1f} MB/s, {_time_left((self._total - done) / rate)} left"
        self._job.progress(done, self._total, text)


def amount(size: float, whole: float = 0.0) -> str:
    """Return a size in MB, or in kB where the whole of which it is a part is below 1 MB."""
    if max(size, whole) < _MEGABYTE:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e6:,.1f} MB"


def _time_left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min"
