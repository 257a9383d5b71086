"""Recent answers to requests with an id, stored for labels that come later."""

from __future__ import annotations

from collections import OrderedDict
from typing import Dict, Mapping, Sequence

import numpy as np

from ...shared.statistics import wilson
from .agreement import is_of_classes
from .uncertainty import BOXES, MAP, Uncertainty

KEPT = 4096
"""Answers; of older ones a label comes too late, and is said not to match."""
MOST_LABELS = 10_000

_LOOKS = 20
"""Answers by which it is learnt what they are."""


class Answers:
    """The class that each request was answered, by its id; and how many labels said the same.

    Args:
        names: Of the classes, in their order; may be none.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._form = Uncertainty()
        self._looks = _LOOKS
        self._kept: OrderedDict[str, int] = OrderedDict()
        self.right = self.matched = self.unmatched = 0
        self.uncertain = self.uncertain_right = 0

    def store(self, identifier: str, arrays: Sequence[np.ndarray]) -> None:
        """Store the answer to a request; ignore outputs that are not classes."""
        if not self._form.kind and self._looks:
            self._looks -= 1
            self._form.of({str(number): array for number, array in enumerate(arrays)})
        if self._form.kind in (BOXES, MAP):
            return  # rows of numbers, too, none of which is a class
        for array in arrays:
            if array.dtype.kind == "f" and array.size and is_of_classes(array):
                first = array.reshape(-1, array.shape[-1])[0]
                self._kept[identifier[:200]] = int(first.argmax())
                break
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def judge(self, labels: Mapping[str, object], chosen: bool = False) -> Dict[str, int]:
        """Compare labels with the answers; each answer is judged once.

        Args:
            labels: Name or number of the class, by the request's id.
            chosen: They are of requests that the model was least certain of, which are no fair
                sample: they are counted separately.
        """
        matched = right = 0
        for identifier, label in labels.items():
            found = self._kept.pop(str(identifier)[:200], None)
            if found is None:
                continue
            matched += 1
            name = self._names[found] if found < len(self._names) else None
            right += str(label) in (str(found), name)
        unmatched = len(labels) - matched
        if chosen:
            self.uncertain += matched
            self.uncertain_right += right
        else:
            self.matched += matched
            self.right += right
        self.unmatched += unmatched
        return {"matched": matched, "right": right, "unmatched": unmatched}

    def status(self) -> Dict[str, object]:
        """Accuracy so far, with its interval."""
        low, high = wilson(self.right, self.matched)
        return {
            "accuracy": self.right / self.matched if self.matched else None,
            "low": round(low, 4),
            "high": round(high, 4),
            "matched": self.matched,
            "unmatched": self.unmatched,
            "waiting": len(self._kept),
            "uncertain": self.uncertain,
            "uncertain_right": self.uncertain_right,
        }
