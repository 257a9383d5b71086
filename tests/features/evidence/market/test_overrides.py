"""The number of overrides: a sum of records, and unknown without any."""

from __future__ import annotations

from studio.features.evidence.market.overrides import not_recorded, override_count


def test_without_a_record_the_number_is_unknown() -> None:
    assert override_count(()) is None
    assert override_count(not_recorded("digits")) is None


def test_records_are_added_and_a_recorded_zero_is_known() -> None:
    assert override_count([2, 3]) == 5
    assert override_count([0]) == 0
