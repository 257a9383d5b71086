"""What fuzzing finds, the one file for each, and the making of small inputs from large ones."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

KINDS = ("crash", "hang", "outside", "exception")
_OWN = ("/studio/", "/plugins/")


@dataclass(frozen=True)
class Finding:
    """One thing that must not be.

    Attributes:
        kind: One of ``KINDS``.
        where: What tells it from others: the exception and its place in the product, or the signal.
        detail: For people: the traceback, the file that was opened.
    """

    target: str
    kind: str
    where: str
    detail: str

    def save(self, folder: Path, data: bytes) -> bool:
        """Write it with its input, unless one like it is there; whether it is new."""
        mark = hashlib.sha256(f"{self.kind} {self.where}".encode()).hexdigest()[:12]
        path = folder / f"{self.target}-{self.kind}-{mark}.json"
        if path.exists():
            return False
        path.with_suffix(".bin").write_bytes(data)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")
        return True


def load(folder: Path) -> Iterator[tuple[Finding, Path]]:
    """What was saved in a folder, each with the file of its input."""
    for path in sorted(folder.glob("*.json")):
        yield Finding(**json.loads(path.read_text())), path.with_suffix(".bin")


def of_exception(target: str, error: BaseException) -> Finding:
    """An exception that nothing has caught, told apart by the last place in the product."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if any(part in frame.filename for part in _OWN)]
    last = (own or frames)[-1]
    where = f"{type(error).__name__} at {Path(last.filename).name}:{last.name}"
    return Finding(target, "exception", where, "".join(traceback.format_exception(error))[-6000:])


def minimised(data: bytes, fails: Callable[[bytes], bool], tries: int) -> bytes:
    """The smallest input that still fails which is found in so many tries: pieces are left out."""
    size = len(data) // 2
    while size and tries > 0:
        place = 0
        while place < len(data) and tries > 0:
            shorter = data[:place] + data[place + size :]
            tries -= 1
            if fails(shorter):
                data = shorter
            else:
                place += size
        size //= 2
    return data
