"""Samples from folders, arrays and images, prepared as the model expects them."""

from typing import TYPE_CHECKING

from studio.lazy_names import lazy_names

if TYPE_CHECKING:  # numpy comes with both, and the window reads this folder's results without it
    from studio.datasets.opening import open_dataset
    from studio.datasets.preprocess import Preprocess

_MODULES = {"Preprocess": "preprocess", "open_dataset": "opening"}

__getattr__ = lazy_names(__name__, _MODULES)
