"""Samples from folders, arrays and images, prepared as the model expects them."""

from studio.datasets.opening import open_dataset
from studio.datasets.preprocess import Preprocess

__all__ = ["Preprocess", "open_dataset"]
