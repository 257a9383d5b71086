"""Exact choice of pairs with the highest sum of gains."""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import Dict, List, Tuple

import numpy as np

Edges = List[List[Tuple[int, float]]]


def best_pairs(gains: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Return the pairs of rows and columns with the highest sum of gains.

    Pairs that have no rival are taken directly. The others are assigned exactly by shortest
    augmenting paths (Jonker and Volgenant 1987) over the possible pairs alone.

    Args:
        gains: Of each pair, n x m; a pair with 0 or less is impossible.

    Returns:
        Numbers of the rows, in ascending order, and of their columns.
    """
    possible = gains > 0
    alone = (possible.sum(axis=1) == 1)[:, None] & (possible.sum(axis=0) == 1)[None] & possible
    rows, columns = np.nonzero(alone)
    rest = np.flatnonzero(possible.any(axis=1) & ~alone.any(axis=1))
    if not rest.size:
        return rows, columns
    chosen = _assign(_edges(gains[rest]))
    pairs = [*zip(rows.tolist(), columns.tolist())]
    pairs += [(int(rest[row]), column) for row, column in chosen]
    pairs.sort()
    found = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _edges(gains: np.ndarray) -> Edges:
    """Return the possible columns of each row with their costs; the last leaves it alone."""
    count = gains.shape[1]
    highest = float(gains.max())
    found: Edges = []
    for number, row in enumerate(gains):
        columns = np.flatnonzero(row > 0)
        costs = highest - row[columns]
        own = (count + number, highest)
        found.append([*zip(columns.tolist(), costs.tolist()), own])
    return found


def _assign(edges: Edges) -> List[Tuple[int, int]]:
    """Return the pairs with the least sum of costs; each row has a last column of its own."""
    state = _Assignment(edges)
    for row in range(len(edges)):
        state.add(row)
    own = {options[-1][0] for options in edges}
    return [(row, column) for row, column in state.columns.items() if column not in own]


class _Assignment:
    """Best assignment of the rows that were added so far.

    Attributes:
        columns: Column of each row.
    """

    def __init__(self, edges: Edges) -> None:
        self.columns: Dict[int, int] = {}
        self._rows: Dict[int, int] = {}
        self._prices: Dict[int, float] = {}
        self._edges = edges
        self._costs = [dict(options) for options in edges]

    def add(self, first: int) -> None:
        """Give one more row a column along the shortest path of exchanges (Dijkstra 1959)."""
        distances: Dict[int, float] = {}
        previous: Dict[int, int] = {}
        done: Dict[int, float] = {}
        heap: List[Tuple[float, int]] = []
        row, base = first, 0.0
        while True:
            for column, cost in self._edges[row]:
                reached = base + cost - self._prices.get(column, 0.0)
                if column not in done and reached < distances.get(column, math.inf):
                    distances[column], previous[column] = reached, row
                    heappush(heap, (reached, column))
            length, column = heappop(heap)
            while column in done:
                length, column = heappop(heap)
            if column not in self._rows:
                break
            done[column] = length
            row = self._rows[column]
            base = length - self._costs[row][column] + self._prices.get(column, 0.0)
        for one, distance in done.items():
            self._prices[one] = self._prices.get(one, 0.0) + distance - length
        self._exchange(column, first, previous)

    def _exchange(self, column: int, first: int, previous: Dict[int, int]) -> None:
        """Pass the columns along the path from its end to its first row."""
        while True:
            row = previous[column]
            released = self.columns.get(row, column)
            self.columns[row], self._rows[column] = column, row
            if row == first:
                return
            column = released
