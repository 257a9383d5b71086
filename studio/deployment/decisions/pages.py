"""Reading of a target's record of decisions, page by page, within a bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from studio.api import TargetError
from studio.deployment.machine.release_client import ReleaseClient
from studio.documents.dataclass_json import JsonValue
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.decisions.entry import LONGEST_LINE

_NAME = re.compile(r"\d{6,12}-\d{4}-\d{2}-\d{2}\.jsonl")
_MOST_SEGMENTS = 200_000


@dataclass(frozen=True, slots=True)
class KeptConfig:
    """The note about a record: its days, its size, and whether it is written now."""

    days: int
    room: int
    on: bool


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """A file of the record on the target."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """Lines of a record, and what there is of it.

    Attributes:
        other: Bytes of other data of clients on the target: samples, events of apps, the log.
    """

    config: KeptConfig | None
    segments: tuple[SegmentSize, ...]
    other: Mapping[str, JsonValue]
    segment: str = ""
    lines: str = ""


class RecordPages:
    """The lines of a record in their order.

    Attributes:
        head: The first answer.
    """

    def __init__(self, agent: ReleaseClient, job: Job, most_mb: float) -> None:
        self._agent = agent
        self._job = job
        self._most = int(most_mb * 1e6)
        self.head = self._page("", 0)
        if len(self.head.segments) > _MOST_SEGMENTS:
            raise TargetError("The target lists more segments than a record can have.")

    def __iter__(self) -> Iterator[tuple[bytes, str, int]]:
        """Yield each line, the segment that it is in, and its place there from 1.

        Raises:
            TargetError: when the target sends more than the bound, or no lines.
        """
        read, total = 0, sum(max(0, one.bytes) for one in self.head.segments)
        for segment in self.head.segments:
            if not _NAME.fullmatch(segment.name):
                raise TargetError("The target lists a segment with a name that none can have.")
            offset = number = 0
            while True:
                self._job.progress(read, max(total, read), "Reading the record")
                lines = self._lines(segment.name, offset)
                if not lines:
                    break
                offset += len(lines)
                read += len(lines)
                if read > self._most:
                    raise TargetError(
                        f"The target has sent more than {self._most / 1e6:,.0f} MB of decisions.",
                        hint="Raise --most-mb if its record may be that large.",
                    )
                for line in lines.split(b"\n")[:-1]:
                    number += 1
                    yield line, segment.name, number
            if self._hides(segment, segment.bytes - offset):
                yield b"", segment.name, number + 1

    def _hides(self, segment: SegmentSize, rest: int) -> bool:
        """Return whether bytes are left that are not the torn end of what is written now."""
        return rest > LONGEST_LINE or (rest > 0 and segment is not self.head.segments[-1])

    def _lines(self, segment: str, offset: int) -> bytes:
        answer = self._page(segment, offset)
        content = answer.lines.encode("latin-1", "replace")
        if answer.segment != segment or (content and not content.endswith(b"\n")):
            raise TargetError("The target has sent another part of its record than it was to.")
        return content

    def _page(self, segment: str, offset: int) -> PageAnswer:
        request = {"segment": segment, "offset": offset, "read": bool(segment)}
        return self._agent.request(PageAnswer, "decisions", request)
