"""What ran when, read from few changes, agrees with the whole history."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.registry import Registry
from studio.versions.serving_history import all_served_at, served_at, stay_at

_STATES = ("serving", "serving", "committed", "canary", "removed", "failed", "rolled back")
_CHANGE = st.tuples(
    st.sampled_from(_STATES), st.sampled_from("abc"), st.integers(-2, 9), st.integers(0, 12)
)


def _time(minute: int) -> str:
    hour, minute = divmod(max(minute, 0), 60)
    return f"2026-01-01T{hour:02}:{minute:02}:00.000+00:00"


@settings(max_examples=40)
@given(st.lists(_CHANGE, max_size=16), st.integers(0, 120))
def test_a_window_is_enough(changes: list[tuple[str, str, int, int]], minute: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        registry = Registry.open(Path(folder))
        try:
            now = 20
            for state, digest, later, trial in changes:
                now += later  # a clock may be set back
                details = {"until": _time(now + trial)} if state == "failed" else {}
                registry.add_release("pi", None, digest * 64, state, details, _time(now))
            history = registry.history.changes("pi").get("pi", [])
            monotonic = all(a.created < b.created for a, b in itertools.pairwise(history))
            for moment in (_time(minute), None):
                if not monotonic and moment is not None:
                    continue
                whole = stay_at(history, moment)
                one = served_at(registry, "pi", moment)
                found = (one.release, one.since, one.until) if one else None
                assert found == ((whole.change.digest, whole.since, whole.until) if whole else None)
                assert all_served_at(registry, ["pi"], moment)["pi"] == one
        finally:
            registry.close()
