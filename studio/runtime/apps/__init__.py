"""Apps: from the frames of cameras and sensors, through a graph of steps, to events."""

from __future__ import annotations

import os

# OpenCV allocates a picture before its size can be compared: 3 GB for a file of 1 MB.
# It reads this limit once, as it is loaded.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
