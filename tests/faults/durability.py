"""What a power cut could undo: each rename of a traced command, and the flushes around it.

A killed process loses nothing that it wrote; a machine without power does. So the order of flushes
is read from a trace: a file is flushed before its rename makes it visible, and the folder after.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

CALLS = "rename,renameat,renameat2,fsync,fdatasync,sync,write,pwrite64,openat,symlink,symlinkat"
_SYNC = re.compile(r"^(?:\d+\s+)?(?:fsync|fdatasync)\(\d+<(?P<path>[^>]+)>\)\s+= 0")
_WRITE = re.compile(r"^(?:\d+\s+)?(?:write|pwrite64)\(\d+<(?P<path>/[^>]+)>")
_RENAME = re.compile(
    r"^(?:\d+\s+)?rename(?:at|at2)?\((?:AT_FDCWD[^,]*, )?\"(?P<old>[^\"]+)\", "
    r"(?:AT_FDCWD[^,]*, )?\"(?P<new>[^\"]+)\".*\)\s+= 0"
)
_EVERYTHING = re.compile(r"^(?:\d+\s+)?sync\(\)\s+= 0")


def command(log: Path) -> list[str]:
    """The tracer."""
    return ["strace", "-qq", "-y", "-o", str(log), "-e", f"trace={CALLS}"]


def undone_by_a_power_cut(trace: str, root: Path) -> list[str]:
    """Sentences about renames below the root that a power cut could undo or leave empty."""
    found: list[str] = []
    dirty: set[str] = set()
    owed: dict[str, str] = {}
    for line in trace.splitlines():
        if _EVERYTHING.match(line):
            dirty.clear()
        elif match := _WRITE.match(line):
            dirty.add(match["path"])
        elif match := _SYNC.match(line):
            dirty.discard(match["path"])
            owed.pop(match["path"], None)
        elif (match := _RENAME.match(line)) and match["new"].startswith(str(root)):
            old, new = match["old"], match["new"]
            if old in dirty:
                found.append(f"{os.path.basename(new)} was renamed before its content was flushed")
            if owed and new == str(root / "state.json"):
                names = ", ".join(sorted(owed.values()))
                found.append(f"the state was written before the folder of {names} was flushed")
            owed[os.path.dirname(new)] = os.path.basename(new)
    found += [f"the folder of {name} was never flushed" for name in owed.values()]
    return found
