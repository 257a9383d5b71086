"""The observers of a model: they see what goes into it and comes out of it."""

from __future__ import annotations

from typing import Dict, Mapping, Protocol

import numpy as np


class Observer(Protocol):
    """Sees every run; must be quick, and may not fail."""

    def observe(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Take in one run; what is kept of the arrays must be copied."""


class Attached(Protocol):
    """Observes one served model from its own thread, until it is told to end."""

    @property
    def wish(self) -> object:
        """What was asked for; compared with what is asked for later."""

    def status(self) -> Dict[str, object]:
        """What was found until now, as plain data."""

    def end(self) -> None:
        """Observe nothing any more."""


class RequestSampler(Attached, Observer, Protocol):
    """Keeps some of the requests."""

    def named(self, identifier: str, inputs: Mapping[str, np.ndarray]) -> None:
        """The request that was just seen has this id."""
