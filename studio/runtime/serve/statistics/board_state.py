"""Monitor of the board: its clock, temperature, throttling, and other load.

Samples are taken by a thread of their own: some sensors answer after milliseconds, and the firmware
of a Raspberry Pi is read by a command.
"""

from __future__ import annotations

import os
import resource
import shutil
import threading
import time
from collections import deque
from typing import Callable, Deque, Dict, List, NamedTuple, Optional, Tuple

from ...bench.machine import board
from ...shared.threads import guarded_thread

EVERY_S = 5.0
KEPT_S = 60.0
"""Looks that are kept: as long as latencies are."""
_COMMAND_EVERY = 6
"""Looks from one asking of the firmware to the next: starting a command costs milliseconds."""
_CAPPED = 0.97
_POLICIES = "sys/devices/system/cpu/cpu[0-9]*/cpufreq"
_FANS = ("fan", "pump")


class BoardSnapshot(NamedTuple):
    """The board at one moment; None and empty where it does not tell.

    Attributes:
        at: Monotonic seconds.
        clock_mhz: Of the fastest processor.
        allowed_mhz, most_mhz: What it may have now, and what it could have.
        celsius: Of the hottest zone.
        flags: Why it is throttled now, in words (a Pi's firmware; devices that cool passively).
        events: Throttle events so far.
        ticks, idle, stolen: Of all processors since the start, in ticks of the kernel.
        own_s: Processor time of this process.
    """

    at: float
    clock_mhz: Optional[float] = None
    allowed_mhz: Optional[float] = None
    most_mhz: Optional[float] = None
    celsius: Optional[float] = None
    flags: Tuple[str, ...] = ()
    events: int = 0
    ticks: int = 0
    idle: int = 0
    stolen: int = 0
    own_s: float = 0.0


class BoardHistory(NamedTuple):
    """Samples of the last minute, summarised.

    Attributes:
        throttled: The reason in words; empty without a sign of throttling.
        clock_mhz: Median of the samples.
        others: Processors that others than this process kept busy, in the mean.
        stolen: Share of the processor time that a hypervisor took.
    """

    throttled: Tuple[str, ...] = ()
    clock_mhz: Optional[float] = None
    most_mhz: Optional[float] = None
    celsius: Optional[float] = None
    others: Optional[float] = None
    stolen: float = 0.0

    def to_json(self) -> Dict[str, object]:
        """Return the fields of the status document."""
        return {**self._asdict(), "throttled": list(self.throttled)}


class BoardMonitor:
    """Looks at the board again and again.

    Args:
        root: Where ``/sys`` and ``/proc`` begin.
        clock: Seconds that never go back.
    """

    def __init__(self, root: str = "/", clock: Callable[[], float] = time.monotonic) -> None:
        self._root = root
        self._clock = clock
        self._looks: Deque[BoardSnapshot] = deque(maxlen=int(KEPT_S / EVERY_S) + 1)
        self._firmware: Tuple[str, ...] = ()
        self._asked = 0
        self._asks = root == "/" and shutil.which("vcgencmd") is not None
        self._ended = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def begin(self) -> None:
        """Look from now on, in a thread of its own."""
        if self._thread is None:
            self._thread = guarded_thread("machine", self._work)
            self._thread.start()

    def end(self) -> None:
        """Stop sampling."""
        self._ended.set()

    def _work(self) -> None:
        while True:
            try:
                self.sample()
            except Exception:  # a driver that answers nonsense must not end the sampling
                pass
            if self._ended.wait(EVERY_S):
                return

    def sample(self) -> None:
        """Take one sample."""
        root = self._root
        ticks = _ticks(root)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        hot = [zone.celsius for zone in board.zones(root)]
        self._looks.append(
            BoardSnapshot(
                at=self._clock(),
                clock_mhz=_mhz(root, "scaling_cur_freq"),
                allowed_mhz=_mhz(root, "scaling_max_freq"),
                most_mhz=_mhz(root, "cpuinfo_max_freq"),
                celsius=max(hot) if hot else None,
                flags=(*self._firmware_flags(), *_cooled(root)),
                events=board.throttle_events(root),
                ticks=sum(ticks),
                idle=sum(ticks[3:5]),
                stolen=ticks[7] if len(ticks) > 7 else 0,
                own_s=usage.ru_utime + usage.ru_stime,
            )
        )

    def _firmware_flags(self) -> Tuple[str, ...]:
        """Return the throttling flags of a Raspberry Pi's firmware that are set now."""
        text = board.pi_flags(self._root)
        if text is None and self._asks and self._asked % _COMMAND_EVERY == 0:
            text = board.vcgencmd()
            self._asks = text is not None  # a user without permission now has none later
        self._asked += 1
        if text is not None:
            found = board.throttled_bits(text)
            self._firmware = found.now if found else ()
        return self._firmware

    def state(self) -> BoardHistory:
        """Return the summary of the samples of the last minute."""
        now = self._clock()
        looks = [look for look in list(self._looks) if now - look.at <= KEPT_S + EVERY_S]
        if not looks:
            return BoardHistory()
        first, last = looks[0], looks[-1]
        reasons = list(dict.fromkeys(flag for look in looks for flag in look.flags))
        if last.events > first.events:
            reasons.append("{} throttle events".format(last.events - first.events))
        capped = [look for look in looks if _is_capped(look)]
        if capped and not reasons:
            low = min(look.allowed_mhz or 0.0 for look in capped)
            reasons.append("clock capped at {:.0f} of {:.0f} MHz".format(low, last.most_mhz or 0))
        clocks = sorted(look.clock_mhz for look in looks if look.clock_mhz)
        others, stolen = _shares(first, last)
        return BoardHistory(
            tuple(reasons),
            clocks[len(clocks) // 2] if clocks else None,
            last.most_mhz,
            last.celsius,
            others,
            stolen,
        )


def _shares(first: BoardSnapshot, last: BoardSnapshot) -> Tuple[Optional[float], float]:
    """Processors that others keep busy, and the share that was stolen, between two looks."""
    ticks, spent = last.ticks - first.ticks, last.at - first.at
    if ticks <= 0 or spent <= 0:
        return None, 0.0
    processors = ticks / (spent * os.sysconf("SC_CLK_TCK"))
    busy = processors * (1.0 - (last.idle - first.idle) / ticks)
    others = busy - (last.own_s - first.own_s) / spent
    return round(max(0.0, others), 2), round((last.stolen - first.stolen) / ticks, 4)


def _is_capped(look: BoardSnapshot) -> bool:
    return bool(look.allowed_mhz and look.most_mhz and look.allowed_mhz < _CAPPED * look.most_mhz)


def _mhz(root: str, name: str) -> Optional[float]:
    values = [board.number_of(path) for path in board.paths(root, "{}/{}".format(_POLICIES, name))]
    known = [value for value in values if value and value > 0]
    return max(known) / 1e3 if known else None


def _cooled(root: str) -> List[str]:
    """Devices that are slowed down to cool them, as the kernel's thermal governors do."""
    slowed: Dict[str, None] = {}
    for folder in board.paths(root, "sys/class/thermal/cooling_device*"):
        kind = board.text_of(folder, "type") or ""
        state = board.number_of(os.path.join(folder, "cur_state"))
        if state and state > 0 and not any(word in kind.lower() for word in _FANS):
            slowed["{} slowed to cool it".format(kind or "a device")] = None
    return list(slowed)


def _ticks(root: str) -> List[int]:
    """User, nice, system, idle, waiting, interrupts (2), stolen; all processors together."""
    try:
        with open(os.path.join(root, "proc/stat"), encoding="ascii") as file:
            return [int(text) for text in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return []
