"""What a step keeps of tracks."""

from __future__ import annotations

from studio.runtime.apps.tracking.memory import TrackMemory


def test_a_track_that_is_not_seen_is_forgotten_and_given_back_once() -> None:
    memory: TrackMemory[list[int]] = TrackMemory(2.0)
    memory.see(1, 0.0, list).append(7)
    memory.see(2, 1.5, list)
    assert memory.forget(2.0) == []
    assert memory.forget(2.5) == [(1, [7])]
    assert memory.forget(2.6) == []
    assert memory.get(1) is None
    assert memory.get(2) == []


def test_a_track_that_is_seen_keeps_its_state() -> None:
    memory: TrackMemory[list[int]] = TrackMemory(2.0)
    for time in range(10):
        memory.see(1, float(time), list).append(time)
        memory.forget(float(time))
    assert memory.items() == [(1, list(range(10)))]


def test_memory_is_bounded_over_100_000_tracks() -> None:
    memory: TrackMemory[list[int]] = TrackMemory(1e9, most=50)
    for track in range(100_000):
        memory.see(track, 0.0, list)
        memory.forget(0.0)
    assert len(memory) == 50
    assert memory.get(99_999) == []
