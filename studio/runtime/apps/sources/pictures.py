"""Pictures from files and messages: JPEG and PNG, by OpenCV or Pillow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

REQUIREMENTS = {"opencv-python-headless": ">=4.8"}
MOST_BYTES = 16 << 20
"""Size of a file or message beyond which it is not read as a picture."""
_MOST_PIXELS = 64_000_000
_MISSING = "reading pictures needs the Python package opencv-python-headless or pillow"


def decoded(content: bytes) -> np.ndarray:
    """Return a picture, height x width x 3, RGB, uint8.

    Raises:
        ValueError: for bytes that are no picture, or a very large one.
        OSError: when neither OpenCV nor Pillow is installed.
    """
    if len(content) > MOST_BYTES:
        raise ValueError("a picture has more than {} MB".format(MOST_BYTES >> 20))
    try:
        import cv2
    except ImportError:
        return _by_pillow(content)
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # such as an empty buffer
        pixels = None
    if pixels is None or pixels.size > 3 * _MOST_PIXELS:
        raise ValueError("not a picture that can be read here")
    found: np.ndarray = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return found


def _by_pillow(content: bytes) -> np.ndarray:
    image_module = _pillow()
    try:
        with image_module.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise ValueError("not a picture that can be read here")
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError):  # Pillow raises both for damaged files
        raise ValueError("not a picture that can be read here") from None


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise OSError(_MISSING) from None
    return Image
