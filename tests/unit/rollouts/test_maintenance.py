"""Maintenance windows of rollouts: hours of days, over midnight, by the clock of a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api import UsageError
from studio.rollouts.maintenance import MaintenanceWindow, next_opening

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = "Mon-Fri 22:00-04:00 Europe/Berlin"


def at(text: str) -> datetime:
    """Return a time in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-30T21:59:59", False),  # a Monday
        ("2026-11-30T22:00:00", True),
        ("2026-12-01T03:59:59", True),
        ("2026-12-01T04:00:00", False),
        ("2026-12-05T03:00:00", True),  # Saturday, the end of Friday's
        ("2026-12-05T22:30:00", False),
        ("2026-11-30T03:00:00", False),  # Monday, as Sunday's does not open
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_opens(
    now: str, is_open: bool
) -> None:
    assert MaintenanceWindow.parse(NIGHT).is_open(at(now)) is is_open


def test_the_next_opening_is_found_over_a_weekend() -> None:
    window = MaintenanceWindow.parse(NIGHT)
    assert window.opens(at("2026-12-05T04:00:00")) == at("2026-12-07T22:00:00")
    assert window.opens(at("2026-12-07T23:00:00")) == at("2026-12-07T23:00:00")


def test_the_hours_are_those_of_the_zone_when_the_clock_changes() -> None:
    window = MaintenanceWindow.parse("daily 02:30-05:00 Europe/Berlin")
    before = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # the hour from 2 to 3 is left out
    assert window.opens(before).astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.sets(st.sampled_from(["mon", "wed", "fri-sun", "sat-mon"]), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_it_is_open_when_it_opens_and_was_not_before(
    moment: datetime, days: set[str], start: int, end: int
) -> None:
    hours = "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (start, end))
    window = MaintenanceWindow.parse(f"{','.join(sorted(days))} {hours} UTC")
    now = moment.replace(tzinfo=UTC)
    opens = window.opens(now)
    assert window.is_open(opens)
    assert opens - now <= timedelta(days=7)
    if opens > now:
        assert not window.is_open(opens - timedelta(seconds=1))


def test_the_earliest_of_several_windows_counts() -> None:
    windows = [
        MaintenanceWindow.parse(f"daily {hours} UTC") for hours in ("05:00-06:00", "03:00-04:00")
    ]
    now = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert next_opening(windows, now) == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert next_opening((), now) == now


@pytest.mark.parametrize(
    "text",
    ["", "22:00-04:00", "Mon 25:00-04:00", "Noday 22:00-04:00", "Mon 22:00-04:00 Mars/Base",
     "Mon 22:00-04:00 ../../etc/passwd", "Mon 22-4", "daily 1:00-2:00"],
)  # fmt: skip
def test_another_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="Not a maintenance window") as caught:
        MaintenanceWindow.parse(text)
    assert "Europe/Berlin" in caught.value.hint
