"""Rates are read while others count."""

from __future__ import annotations

import threading

from studio.runtime.apps.measures import Rate


def test_a_rate_is_that_of_the_latest_ten_seconds() -> None:
    rate = Rate()
    assert rate.value(0.0) == 0.0
    for number in range(400):
        rate.add(number * 0.05)
    assert rate.value(20.0) == 20.0
    assert rate.value(100.0) == 0.0


def test_a_rate_can_be_read_while_another_thread_counts() -> None:
    rate, end = Rate(), threading.Event()

    def count() -> None:
        while not end.is_set():
            rate.add(0.0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        for _ in range(3000):
            rate.value(0.0)
    finally:
        end.set()
        thread.join(60)
