"""Who sees what goes into a model and comes out of it."""

from __future__ import annotations

from typing import Mapping, Protocol

import numpy as np


class Observer(Protocol):
    """Sees every run; must be quick, and may not fail."""

    def see(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> None:
        """Take in one run; what is kept of the arrays must be copied."""
