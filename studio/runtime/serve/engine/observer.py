"""Observers of a model's inputs and outputs."""

from __future__ import annotations

from typing import Dict, Mapping, Protocol

import numpy as np


class Observer(Protocol):
    """Observer of every run; must be quick, and may not fail."""

    def observe(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Observe one run; arrays that are retained must be copied."""


class Attached(Protocol):
    """Observer of one served model from its own thread, until it is ended."""

    @property
    def wish(self) -> object:
        """Requested settings, compared with those of a later request."""

    def status(self) -> Dict[str, object]:
        """Return the findings so far, as plain data."""

    def end(self) -> None:
        """Observe nothing any more."""


class RequestSampler(Attached, Observer, Protocol):
    """Keeps some of the requests."""

    def named(self, identifier: str, inputs: Mapping[str, np.ndarray]) -> None:
        """Name the request that was just observed."""
