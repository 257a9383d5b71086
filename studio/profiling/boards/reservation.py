"""The reservation of a board while something is measured on it."""

from __future__ import annotations

import getpass
import json
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from studio.api import Channel, Progress, StudioError, TargetError
from studio.lazy_dataclass import dataclass
from studio.runtime import bench

BEAT_S = 10.0
"""Seconds between two signs of life for the holder on the board."""

PATIENCE_S = 60.0
"""Seconds without one after which the holder gives the board back."""

_LONGEST_S = 30 * 86_400.0
_LOOK_S = 0.2
_ENDED_S = 5.0
_WORDS = 80
"""Letters of an owner's name that are shown."""

_RUN = (
    'p=$(command -v python3 || ls -d "$1"/env/*/bin/python3 2>/dev/null | head -n 1); '
    'shift; exec "$p" -I -c "$@"'
)
_HOLDER = Path(bench.__file__).with_name("reservation.py")
"""It is not imported, as its locks are those of boards."""

_UNKNOWN = "another user"
_BOOT = "/proc/sys/kernel/random/boot_id"


class BoardReserved(TargetError):
    """The error for a board on which another user measures."""


class SameBoard(TargetError):
    """The error for a board that this study measures under another name."""


def no_turn(machine: str) -> AbstractContextManager[None]:
    """Return a turn that has come already: nothing else is measured on the machine."""
    return nullcontext()


def owner_name() -> str:
    """Return who measures, as others see it: the login and the name of this computer."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError, ImportError):
        login = "unknown"
    return f"{login}@{platform.node()}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A request to measure on a board.

    Attributes:
        study: Name of the study; empty for a profile of one board.
        target: Name of the board in it.
        wait: Longest wait for another user, in seconds.
        turn: Called with the identity of the machine's start. It returns the turn in which the
            study measures on that machine, because several boards may be one machine.
    """

    study: str = ""
    target: str = ""
    wait: float = 0.0
    turn: Callable[[str], AbstractContextManager[None]] = no_turn


@contextmanager
def reserved(
    channel: Channel, root: str, name: str, claim: Claim, job: Progress
) -> Iterator[Callable[[], str]]:
    """Reserve a board, and give it back at the end.

    Args:
        channel: A connection for the reservation alone.
        root: The studio's folder on the board.
        name: Of the board, for sentences.

    Yields:
        A function that returns why the reservation was lost; empty while it is held.

    Raises:
        BoardReserved: when another user has it and the wait is over.
        SameBoard: when this study has reserved it under another name.
        TargetError: when it cannot be reserved.
    """
    machine = channel.run(["sh", "-c", f"cat {_BOOT} 2>/dev/null"]).text.strip()
    with claim.turn(machine):
        holder = _BoardLock(channel, root, name, claim, job)
        try:
            holder.await_lock()
            yield holder.why_lost
        finally:
            holder.end()


class _BoardLock:
    """The studio's end of a reservation: a thread that runs the holder on the board."""

    def __init__(self, channel: Channel, root: str, name: str, claim: Claim, job: Progress) -> None:
        self._channel = channel
        self._name = name
        self._claim = claim
        self._job = job
        self._ended = threading.Event()
        self._news = threading.Event()
        self._state = ""
        self._line: dict[str, object] = {}
        self._failure: StudioError | None = None
        owner = {"owner": owner_name(), "study": claim.study, "target": claim.target}
        source = _HOLDER.read_text(encoding="utf-8")
        self._words = [
            *("sh", "-c", _RUN, "sh", root, source),
            *(root, json.dumps(owner), str(claim.wait), str(PATIENCE_S)),
        ]
        self._thread = threading.Thread(target=self._hold, name="reservation", daemon=True)

    def await_lock(self) -> None:
        """Start the holder, and wait until it has the lock; see ``reserved``."""
        self._thread.start()
        while self._state != "held" and self._thread.is_alive():
            self._job.check()
            self._news.wait(_LOOK_S)
            self._news.clear()
        if self._state == "busy":
            raise self._busy()
        if self._state == "failed":
            reason = _plain(str(self._line.get("reason", "")))
            raise TargetError(f"{self._name} cannot be reserved: {reason}.")
        if self._failure is not None:
            raise self._failure
        # A board whose Python does not start the holder is refused by the benchmark, too, with
        # what is missing.

    def why_lost(self) -> str:
        """Return why the board is no longer reserved; empty while it is."""
        if self._state != "held" or self._thread.is_alive():
            return ""
        return self._failure.message if self._failure else "Its process on the board was ended."

    def end(self) -> None:
        """Give the board back."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_ENDED_S)

    def _hold(self) -> None:
        try:
            self._channel.run(
                self._words, stdin=self._beats(), timeout=_LONGEST_S, on_line=self._hear
            )
        except StudioError as error:
            self._failure = error

    def _beats(self) -> Iterator[bytes]:
        while not self._ended.wait(BEAT_S):
            yield b"."

    def _hear(self, text: str) -> None:
        with suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict):
                self._line = line
                before, self._state = self._state, str(line.get("state"))
                self._news.set()
                if self._state == "busy" != before and (self._claim.wait or line.get("own")):
                    self._job.log(f"{self._name} is reserved by {self._holder()[0]}: waiting.")

    def _holder(self) -> tuple[str, str, str]:
        """Return the owner, the study and the name of the board, as the board has them."""
        with suppress(ValueError, TypeError):
            document = json.loads(str(self._line.get("owner")))
            if isinstance(document, dict):
                words = [_plain(str(document.get(key, ""))) for key in ("owner", "study", "target")]
                return words[0] or _UNKNOWN, words[1], words[2]
        return _UNKNOWN, "", ""

    def _busy(self) -> TargetError:
        owner, study, target = self._holder()
        if study and study == self._claim.study:
            return SameBoard(f"{self._name} is the same board as {target}.")
        seconds = self._line.get("seconds")
        since = f", for {seconds / 60:.0f} min" if isinstance(seconds, (int, float)) else ""
        return BoardReserved(
            f"{self._name} is reserved by {owner}, who measures on it{since}.",
            hint="Wait for it with --wait SECONDS.",
        )


def _plain(text: str) -> str:
    """Return the printable letters of what a board wrote, shortened."""
    return "".join(letter for letter in text if letter.isprintable())[:_WORDS]
