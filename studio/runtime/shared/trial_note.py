"""Note of a trial in the folder that containers share: the release on trial and the previous one.

Next to it is the previous release, where the server on trial finds it (see ``serve.on_trial``). A
trial that was not decided leaves its note: a note means that nothing was committed yet.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Dict, NamedTuple, Optional

from .chained_log import Journal
from .documents import read_record
from .files import remove, write_atomically
from .listener_turns import Turns
from .trial_request import FILE, TrialRequest

FOLDER = "trial"
_NOTE = "trial.json"
_END = "end"
"""Whoever wants a trial to end writes here why."""
_LOG = "log.jsonl"
_LATE_S = 60.0
"""A trial may take so much longer than it was to: servers are loaded before and after it."""


class TrialNote(NamedTuple):
    """Release on trial and the release that it would replace.

    Attributes:
        release, before: Digests; ``before`` is empty where nothing was served.
        until: When it is over at the latest, in seconds since 1970.
        name, version: Of the model on trial.
    """

    release: str
    before: str
    owner: str
    until: float
    name: str = ""
    version: int = 0

    def facts(self) -> Dict[str, object]:
        """Of the record's entry."""
        return {key: value for key, value in self._asdict().items() if key != "until"}


def late(seconds: float) -> float:
    """When a trial that begins now is over at the latest."""
    return round(time.time() + seconds + _LATE_S, 3)


def root_of(folder: Path) -> Path:
    """Return the folder of the previous release during a comparison, as on a board's disk."""
    return folder / FOLDER


def begin(folder: Path, note: TrialNote) -> None:
    """Write it down."""
    run = root_of(folder) / "run"
    run.mkdir(parents=True, exist_ok=True)
    for one in (run.parent, run):  # the next release may run as another user
        with contextlib.suppress(OSError):
            os.chmod(str(one), 0o777)
    write_atomically(root_of(folder) / _NOTE, json.dumps(note._asdict()).encode())


def read(folder: Path) -> Optional[TrialNote]:
    """Return the note of an undecided trial, or None."""
    try:
        return read_record(TrialNote, json.loads((root_of(folder) / _NOTE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def why_end(folder: Path) -> str:
    """Return why the trial must end now; empty while it may continue."""
    try:
        return (root_of(folder) / _END).read_text("utf-8").strip()
    except (OSError, ValueError):
        return ""


def end(folder: Path, share: float = 0.0, release: str = "", before: str = "") -> None:
    """The trial is over: go on comparing answers with a share of a core, or forget all of it."""
    root = root_of(folder)
    if share and before and before != release:
        wish = TrialRequest(release, before, 1.0, share, False)
        write_atomically(root / "run" / FILE, wish.content())
        for name in (_NOTE, _END):
            remove(root / name)
    else:
        remove(root)


def record(folder: Path, event: str, **facts: object) -> None:
    """Add to the chained record of the place."""
    path = folder / _LOG
    Journal(path).append(event, **facts)
    with contextlib.suppress(OSError):
        os.chmod(str(path), 0o666)


ENDED = "its server ended while it was on trial"


def hand_back(turns: Turns, release: str, reason: str = ENDED) -> bool:
    """Roll back a release whose server ended during its trial, when it is started again.

    The process that watched it has ended with it, and no other may be there to decide.

    Args:
        reason: For the record.
    """
    note = read(turns.folder)
    if note is None or note.release != release or not note.before:
        return False
    if turns.current() == release:
        turns.give(note.before, note.owner)
    record(turns.folder, "soak", decision="taken back", reason=reason, **note.facts())
    end(turns.folder)
    return True
