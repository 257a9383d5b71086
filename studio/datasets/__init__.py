"""Samples from folders, arrays and images, prepared as the model expects them."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy comes with both, and the window reads this folder's results without it
    from studio.datasets.opening import open_dataset
    from studio.datasets.preprocess import Preprocess

_MODULES = {"Preprocess": "preprocess", "open_dataset": "opening"}


def __getattr__(name: str) -> object:
    """Import a name at its first use; afterwards it is an attribute like any other."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return globals()[name]


__all__ = ["Preprocess", "open_dataset"]
