"""Tracker of several objects by their boxes alone."""

from __future__ import annotations

from typing import Dict, NamedTuple, Sequence, Tuple

import numpy as np

from .assignment import best_pairs
from .motion import BoxMotion, as_centres, as_corners, sizes_fit
from .votes import ClassVotes

_SIGMAS = 3.5
"""Standard deviations within which a box may be from where it is expected."""
_FARTHEST = 1.5
"""Most distance of a box from where it is expected, in heights of the object."""
_SIZES = 1.7
"""Most ratio of the heights of a pair that does not overlap enough."""
_SAME_PLACE = 0.5
"""Least intersection over union with which a box with a low score continues a track."""
_RECENT_S = 0.6
"""Only tracks that were seen within that time take boxes with low scores."""
_MOST_TRACKS = 2000
_SAME_BOX = 0.7
"""Intersection over union from which two boxes of different classes are one object."""


class TrackerSettings(NamedTuple):
    """Settings of a tracker.

    Attributes:
        threshold: Least score of a box that begins a track.
        low: Least score of a box that continues one.
        overlap: Intersection over union from which two boxes are surely comparable in place.
        keep_s: Seconds for which a track that is not seen is kept.
        confirm: Sightings before a track is given out.
        vote: A track may consist of boxes of several classes, and has the one with the highest
            sum of scores. For detectors that confuse similar classes, such as cars and trucks.
    """

    threshold: float = 0.5
    low: float = 0.1
    overlap: float = 0.2
    keep_s: float = 2.0
    confirm: int = 2
    vote: bool = False


class Tracker:
    """Gives boxes the numbers of the objects to which they belong.

    Tracking by detection with predicted boxes as in SORT (Bewley et al., "Simple Online and
    Realtime Tracking", 2016). Boxes with high scores choose first, and those with low scores
    continue what is left, as in ByteTrack (Zhang et al. 2022). Pairs that overlap too little may
    still agree in place and size, with a distance relative to the uncertainty of the prediction.
    Boxes are those of one moment, with times in seconds, so that frames may be missing.
    """

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._motion = BoxMotion()
        self._ids = np.empty(0, dtype=np.int64)
        self._labels = np.empty(0, dtype=np.int64)
        self._hits = np.empty(0, dtype=np.int64)
        self._seen = np.empty(0)
        self._votes = ClassVotes()
        self._names: Dict[str, int] = {}
        self._rows = np.empty(0, dtype=np.int64)
        self._next = 1
        self._latest = float("nan")

    @property
    def size(self) -> int:
        """Number of tracks that are kept."""
        return len(self._ids)

    def update(
        self, time: float, corners: np.ndarray, scores: np.ndarray, labels: Sequence[str]
    ) -> np.ndarray:
        """Take the boxes of one frame.

        Args:
            time: Seconds on a clock that only goes forward.
            corners: Left, top, right, bottom, n x 4.
            scores: From 0 to 1, n.
            labels: Name of the class of each.

        Returns:
            Number of the track of each box, from 1; 0 for boxes without a confirmed track.
        """
        first = self._latest != self._latest
        since = 0.0 if first else max(0.0, time - self._latest)
        self._latest = time
        self._drop(time, since)
        self._motion.predict(since)
        boxes = as_centres(np.asarray(corners, dtype=np.float64).reshape(-1, 4))
        kinds = self._kinds(labels)
        tracks = self._match(boxes, scores, kinds, time)
        self._see(tracks, boxes, time)
        fresh = np.flatnonzero((tracks < 0) & (scores >= self._settings.threshold))
        if self._settings.vote and fresh.size:
            fresh = _without_doubles(fresh, tracks, as_corners(boxes), scores)
        tracks[fresh] = self._begin(boxes[fresh], kinds[fresh], time, first)
        matched = tracks >= 0
        self._rows = tracks[matched]
        if self._settings.vote:
            self._votes.see(self._rows, kinds[matched], scores[matched])
        return self._numbers(tracks)

    def classes(self) -> Tuple[str, ...]:
        """Return the class of each numbered box of the latest frame, in order, by votes."""
        names = list(self._names)
        rows = self._rows[self._hits[self._rows] >= self._settings.confirm]
        return tuple(names[kind] for kind in self._votes.best(rows).tolist())

    def _drop(self, time: float, since: float) -> None:
        """Forget tracks that were not seen for too long; unconfirmed ones after one frame."""
        if not len(self._ids):
            return
        unseen = time - self._seen
        missed = unseen - since  # before this frame
        sure = self._hits >= self._settings.confirm
        keep = np.where(sure, unseen <= self._settings.keep_s, missed <= since)
        if len(keep) > _MOST_TRACKS:
            keep[: len(keep) - _MOST_TRACKS] = False
        if not keep.all():
            self._motion.keep(keep)
            self._votes.keep(keep)
            self._ids, self._labels = self._ids[keep], self._labels[keep]
            self._hits, self._seen = self._hits[keep], self._seen[keep]

    def _kinds(self, labels: Sequence[str]) -> np.ndarray:
        names = self._names
        return np.array([names.setdefault(one, len(names)) for one in labels], dtype=np.int64)

    def _match(
        self, boxes: np.ndarray, scores: np.ndarray, kinds: np.ndarray, time: float
    ) -> np.ndarray:
        """Return the row of the track of each box; -1 for none."""
        found = np.full(len(boxes), -1, dtype=np.int64)
        if not len(boxes) or not len(self._ids):
            return found
        gains, shares = self._gains(boxes, kinds)
        sure = self._hits >= self._settings.confirm
        high = scores >= self._settings.threshold
        low = (scores >= self._settings.low) & ~high
        free = np.ones(len(self._ids), dtype=bool)
        recent = time - self._seen <= _RECENT_S
        close = np.where(shares >= _SAME_PLACE, gains, 0.0)
        groups = ((sure, high, gains), (sure & recent, low, close), (~sure, high, gains))
        for rows, columns, chances in groups:
            self._pair(chances, np.flatnonzero(rows & free), columns, found, free)
        return found

    def _pair(
        self,
        gains: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        found: np.ndarray,
        free: np.ndarray,
    ) -> None:
        """Pair some tracks with the boxes of a group that have none, and note the pairs."""
        left = np.flatnonzero(columns & (found < 0))
        if not rows.size or not left.size:
            return
        first, second = best_pairs(gains[rows[:, None], left])
        found[left[second]] = rows[first]
        free[rows[first]] = False

    def _gains(self, boxes: np.ndarray, kinds: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Return how well tracks and boxes agree, and their intersections over union, n x m.

        They agree up to 2; 0 for pairs that cannot be.
        """
        expected = self._motion.means
        shares = overlaps(as_corners(expected), as_corners(boxes))
        reach = np.minimum(_SIGMAS * self._motion.reach(), _FARTHEST * expected[:, 3:])
        offsets = (boxes[None, :, :2] - expected[:, None, :2]) / reach[:, None]
        nearness = 1 - np.sqrt((offsets**2).sum(axis=2))
        near = (nearness > 0) & sizes_fit(expected, boxes, _SIZES)
        fits = (shares >= self._settings.overlap) | near
        if not self._settings.vote:
            fits &= self._labels[:, None] == kinds
        return np.where(fits, shares + np.maximum(nearness, 1e-3), 0.0), shares

    def _see(self, tracks: np.ndarray, boxes: np.ndarray, time: float) -> None:
        matched = np.flatnonzero(tracks >= 0)
        if matched.size:
            rows = tracks[matched]
            self._motion.update(rows, boxes[matched])
            self._hits[rows] += 1
            self._seen[rows] = time

    def _begin(self, boxes: np.ndarray, kinds: np.ndarray, time: float, first: bool) -> np.ndarray:
        """Begin tracks; return their rows. Those of the first frame are sure at once."""
        count, before = len(boxes), len(self._ids)
        if count:
            hits = self._settings.confirm if first else 1
            self._motion.add(boxes)
            self._votes.add(count)
            self._ids = np.concatenate([self._ids, np.zeros(count, dtype=np.int64)])
            self._labels = np.concatenate([self._labels, kinds])
            self._hits = np.concatenate([self._hits, np.full(count, hits, dtype=np.int64)])
            self._seen = np.concatenate([self._seen, np.full(count, time)])
        return np.arange(before, before + count)

    def _numbers(self, tracks: np.ndarray) -> np.ndarray:
        """Return the numbers of tracks that are confirmed; a track has its number from then on."""
        found = np.zeros(len(tracks), dtype=np.int64)
        rows = tracks[tracks >= 0]
        sure = rows[self._hits[rows] >= self._settings.confirm]
        for row in sure[self._ids[sure] == 0]:
            self._ids[row] = self._next
            self._next += 1
        found[tracks >= 0] = np.where(
            self._hits[rows] >= self._settings.confirm, self._ids[rows], 0
        )
        return found


def _without_doubles(
    fresh: np.ndarray, tracks: np.ndarray, corners: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Return the boxes that begin tracks, without those of an object that has another box."""
    order = fresh[np.argsort(-scores[fresh], kind="stable")]
    taken = np.flatnonzero(tracks >= 0).tolist()
    found = []
    for one in order.tolist():
        if not taken or overlaps(corners[one : one + 1], corners[taken]).max() < _SAME_BOX:
            found.append(one)
            taken.append(one)
    return np.array(sorted(found), dtype=np.intp)


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the intersection over union of boxes given by their corners, n x m."""
    begin = np.maximum(first[:, None, :2], second[None, :, :2])
    end = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(end - begin, 0.0)
    shared = sides[:, :, 0] * sides[:, :, 1]
    areas = _areas(first)[:, None] + _areas(second)[None] - shared
    found: np.ndarray = shared / np.maximum(areas, 1e-9)
    return found


def _areas(corners: np.ndarray) -> np.ndarray:
    found: np.ndarray = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return found
