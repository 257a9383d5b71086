"""A request that waits for its turn at a model, as the model and those who run it see it."""

from __future__ import annotations

from typing import Optional, Protocol, Sequence

import numpy as np

from ...backends.backend_model import RunOptions
from ..http.message import Response
from ..protocol.codec import Inference


class PendingCall(Protocol):
    """One request to a model: decoded, run alone or with others, and answered, in this order.

    Attributes:
        inference: The decoded request, once ``decode`` has succeeded.
    """

    inference: Inference

    @property
    def is_in_vain(self) -> bool:
        """Whether no client waits for the answer any more."""

    def decode(self) -> bool:
        """Read the inputs; False when they do not fit the model, which is then the answer."""

    def run(self, options: Optional[RunOptions] = None) -> None:
        """Run the model for this request alone, and make the answer."""

    def encode(
        self, arrays: Sequence[np.ndarray], inferred: float, runs: int = 1, rows: int = 0
    ) -> None:
        """Make the answer from the outputs of a run that others may have shared."""

    def conclude(self) -> Response:
        """Count the outcome; the response to send."""

    def answer(self) -> None:
        """Count the outcome and send the answer."""
