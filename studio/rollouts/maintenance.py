"""Maintenance windows: the hours in which a rollout may change a target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from studio.api import UsageError
from studio.lazy_dataclass import dataclass

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY = "daily"
_FORM = re.compile(
    r"(?P<days>[A-Za-z,-]+) +(?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)( +(?P<zone>[\w/+-]+))?",
    re.ASCII,
)
_WEEK = timedelta(days=8)
"""Longest time until a window that is open once a week, with a day for a change of the clock."""


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Hours of some days of the week, by the clock of a time zone.

    Attributes:
        days: Days on which it opens, 0 for Monday.
        start, end: It closes before ``end``, on the next day where that is not later than
            ``start``.
        zone: None for the time zone of this computer.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo | None = None

    @classmethod
    def parse(cls, text: str) -> MaintenanceWindow:
        """Return the window of a text such as ``Mon-Fri 22:00-04:00 Europe/Berlin``.

        Raises:
            UsageError: for another text.
        """
        found = _FORM.fullmatch(text.strip())
        try:
            if found is None:
                raise ValueError
            zone = ZoneInfo(found["zone"]) if found["zone"] else None
            start, end = (time.fromisoformat(found[name]) for name in ("start", "end"))
            return cls(_days_of(found["days"]), start, end, zone)
        except (ValueError, ZoneInfoNotFoundError, OSError):
            raise UsageError(
                f"Not a maintenance window: {text!r}.",
                hint='Write days, hours and time zone: "Mon-Fri 22:00-04:00 Europe/Berlin".',
            ) from None

    def is_open(self, now: datetime) -> bool:
        """Return whether it is open.

        Args:
            now: A time with its zone.
        """
        local = now.astimezone(self.zone)
        clock = local.time().replace(tzinfo=None)
        if self.start < self.end:
            return local.weekday() in self.days and self.start <= clock < self.end
        if clock >= self.start:
            return local.weekday() in self.days
        return clock < self.end and (local - timedelta(days=1)).weekday() in self.days

    def opens(self, now: datetime) -> datetime:
        """Return when it is open next: now, or a later time."""
        if self.is_open(now):
            return now
        return next(moment for moment in self._starts(now) if moment > now)

    def _starts(self, now: datetime) -> Iterator[datetime]:
        day = now.astimezone(self.zone).replace(tzinfo=None)
        for number in range(_WEEK.days + 1):
            date = (day + timedelta(days=number)).date()
            if date.weekday() in self.days:
                wall = datetime.combine(date, self.start)
                # Hours that a change of the clock leaves out begin when it has changed.
                yield wall.replace(tzinfo=self.zone) if self.zone else wall.astimezone()


def next_opening(windows: Sequence[MaintenanceWindow], now: datetime) -> datetime:
    """Return when one of several windows is open next; now without windows."""
    return min((window.opens(now) for window in windows), default=now)


def _days_of(text: str) -> frozenset[int]:
    if text.lower() == _EVERY:
        return frozenset(range(len(_DAYS)))
    found: set[int] = set()
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {number % 7 for number in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)
