"""Observers of a model's inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Mapping, Protocol

import numpy as np

from ..http.message import Body, Response

if TYPE_CHECKING:
    from ...decisions.config import KeepingConfig
    from ...decisions.log import DecisionLog


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


RECORDER_THREAD = "decisions"
"""Name of the thread of a recorder of answers."""


class AnswerRecorder(Protocol):
    """Records what a served model answered.

    Attributes:
        config: The note that allows it.
        log: Where they are written.
    """

    config: KeepingConfig
    log: DecisionLog

    @property
    def on(self) -> bool:
        """Whether answers are recorded now."""

    def note(self, body: Body, response: Response, has_meaning: bool) -> None:
        """Record an answer, and name its request in its headers; never fails, never waits."""

    def named(self) -> str:
        """Return the id of a new request, for an answer whose headers are sent before its end."""

    def note_as(self, request: str, body: Body, response: Response, has_meaning: bool) -> None:
        """Record an answer whose request has an id; never fails, never waits."""

    def flush(self, seconds: float) -> bool:
        """Wait until what has come is written; return whether it is so in time."""

    def end(self) -> None:
        """Write what has come, and stop."""

    def status(self) -> Dict[str, object]:
        """How it stands, as plain data."""
