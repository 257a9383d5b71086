"""Endings of the files that hold samples. It imports nothing, for those who only look at names."""

from __future__ import annotations

IMAGES = (".png", ".jpg", ".jpeg")
ARRAYS = (".npy", ".npz")
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v")
