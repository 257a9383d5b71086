"""Memory of tracks: what a step keeps of each, bounded in time and number."""

from __future__ import annotations

from typing import Callable, Dict, Generic, List, Optional, Tuple, TypeVar

StateT = TypeVar("StateT")

MOST_TRACKS = 5000


class TrackMemory(Generic[StateT]):
    """States of tracks by their numbers; tracks that are not seen are forgotten."""

    def __init__(self, keep_s: float, most: int = MOST_TRACKS) -> None:
        """Begin empty.

        Args:
            keep_s: Seconds after which a track that was not seen is forgotten.
            most: Most tracks; the one that was not seen for longest is forgotten beyond.
        """
        self._keep_s = keep_s
        self._most = most
        self._states: Dict[int, Tuple[float, StateT]] = {}  # the latest seen at the end

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self._states)

    def see(self, track: int, time: float, begin: Callable[[], StateT]) -> StateT:
        """Return the state of a track that is seen now; a new one begins."""
        found = self._states.pop(track, None)
        state = begin() if found is None else found[1]
        self._states[track] = (time, state)
        return state

    def get(self, track: int) -> Optional[StateT]:
        """Return the state of a track; None for one that is not known."""
        found = self._states.get(track)
        return None if found is None else found[1]

    def forget(self, time: float) -> List[Tuple[int, StateT]]:
        """Drop the tracks that were not seen for too long, and return them."""
        gone: List[Tuple[int, StateT]] = []
        while self._states:
            track = next(iter(self._states))
            seen, state = self._states[track]
            if time - seen <= self._keep_s and len(self._states) <= self._most:
                break
            del self._states[track]
            gone.append((track, state))
        return gone

    def items(self) -> List[Tuple[int, StateT]]:
        """Return all tracks with their states."""
        return [(track, state) for track, (_, state) in self._states.items()]
