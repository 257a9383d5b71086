"""Classes of tracks by votes."""

from __future__ import annotations

import numpy as np

from studio.runtime.apps.tracking.votes import ClassVotes

BOTH = np.array([0, 1])


def test_the_class_with_the_highest_sum_of_scores_wins() -> None:
    votes = ClassVotes()
    votes.add(2)
    votes.see(BOTH, np.array([0, 2]), np.array([0.9, 0.5]))
    votes.see(BOTH, np.array([1, 1]), np.array([0.5, 0.3]))
    votes.see(BOTH, np.array([1, 1]), np.array([0.3, 0.3]))
    assert votes.best(BOTH).tolist() == [0, 1]


def test_votes_stay_with_their_tracks_when_others_end() -> None:
    votes = ClassVotes()
    votes.add(2)
    votes.see(BOTH, np.array([0, 3]), np.array([0.9, 0.5]))
    votes.keep(np.array([False, True]))
    votes.add(1)
    votes.see(np.array([1]), np.array([2]), np.array([0.4]))
    assert votes.best(BOTH).tolist() == [3, 2]


def test_no_tracks_have_no_classes() -> None:
    votes = ClassVotes()
    votes.see(BOTH[:0], BOTH[:0], np.zeros(0))
    assert votes.best(BOTH[:0]).tolist() == []
