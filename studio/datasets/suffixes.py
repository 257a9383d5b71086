"""Suffixes of data files that the studio reads, and the name of its preprocessing file."""

from __future__ import annotations

IMAGES = (".png", ".jpg", ".jpeg")
ARRAYS = (".npy", ".npz")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v")

PREPROCESS = "preprocess.toml"
"""Name of the file with the preprocessing of pictures."""
