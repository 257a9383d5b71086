"""The clock of an incident: days for a report, from the day of awareness."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from studio.api import UsageError
from studio.features.evidence.incidents.kinds import NOT_SERIOUS, UNDECIDED, IncidentRules
from studio.features.evidence.incidents.results import (
    CLOSED,
    Incident,
    IncidentClock,
    IncidentState,
)
from studio.registry.activity import spelled

_FIRST_YEAR = 2000
_DAY_LENGTH = 10


def clock_of(incident: Incident, rules: IncidentRules, today: date) -> IncidentClock:
    """Return the clock of an incident.

    The day of awareness is not counted, and the last day counts in full. Of a kind that is not
    decided, the shortest of all deadlines is meant. A report stops the clock.
    """
    if incident.kind == NOT_SERIOUS:
        return IncidentClock("", None, "No deadline: a person decided that it is not serious.")
    known = rules.kinds.get(incident.kind)
    days = known.days if known is not None else rules.shortest
    deadline = _day(incident.opened.aware) + timedelta(days=days)
    if incident.reported:
        late = (date.fromisoformat(incident.reported) - deadline).days
        when = f"{_days(late)} after" if late > 0 else f"{_days(-late)} before"
        when = when if late else "on"
        text = f"Reported {incident.reported}, {when} the deadline {deadline}."
        return IncidentClock(deadline.isoformat(), None, text)
    left = (deadline - today).days
    if incident.state == CLOSED:
        text = f"Closed without a recorded report; the deadline was {deadline}."
        return IncidentClock(deadline.isoformat(), None, text)
    return IncidentClock(deadline.isoformat(), left, _running(incident.kind, left, deadline))


def _running(kind: str, left: int, deadline: date) -> str:
    due = f"Report due by {deadline}"
    if kind == UNDECIDED:
        due = f"The kind is not decided: ask counsel. The shortest deadline is {deadline}"
    if left < 0:
        return f"{due}: overdue by {_days(-left)}."
    return f"{due}: {'today' if left == 0 else f'{_days(left)} left'}."


def state_of_incident(incident: Incident, rules: IncidentRules, today: date) -> IncidentState:
    """Return an incident as it is on a day."""
    opened = incident.opened
    return IncidentState(
        incident.number,
        opened.title,
        incident.kind,
        rules.title(incident.kind),
        incident.state,
        opened.happened,
        opened.aware,
        incident.reported,
        clock_of(incident, rules, today),
        opened.served,
        incident.entries,
        incident.head,
    )


def today() -> date:
    """Return the present day in UTC."""
    return datetime.now(UTC).date()


def moment_of(text: str, what: str) -> str:
    """Return a day, or a time in UTC, in the spelling of the file.

    Args:
        what: The moment in words, for the error.

    Raises:
        UsageError: when it is no day or time, or one that cannot be: before 2000, or in the future.
    """
    hint = "Write a day such as 2026-11-30, or a time in UTC such as 2026-11-30T14:05."
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{what}: {text[:80]!r} is no day or time.", hint=hint) from None
    if found.year < _FIRST_YEAR or found > datetime.now(UTC):
        when = "in the future" if found.year >= _FIRST_YEAR else f"before {_FIRST_YEAR}"
        raise UsageError(f"{what}: {text[:80]} is {when}.", hint=hint)
    return found.date().isoformat() if len(text) == _DAY_LENGTH else spelled(found)


def is_before(one: str, other: str) -> bool:
    """Whether a day or time is before another; a day has no order within itself."""
    length = min(len(one), len(other))
    return one[:length] < other[:length]


def is_moment(text: str) -> bool:
    """Whether a text of the file is a day or a time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:_DAY_LENGTH])


def _days(number: int) -> str:
    return f"{number} {'day' if number == 1 else 'days'}"
