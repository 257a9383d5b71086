"""File name suffixes of data that the studio reads, and the name of its preprocessing."""

from __future__ import annotations

IMAGES = (".png", ".jpg", ".jpeg")
ARRAYS = (".npy", ".npz")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v")

PREPROCESS = "preprocess.toml"
"""The file that says how a picture becomes the input."""
