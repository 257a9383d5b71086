"""Bytes of a request to the pixels of a picture, within limits."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Iterator

import numpy as np

from ..http.message import Body, HttpError
from . import png
from .signatures import kind_of

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 25_000_000
"""Larger pictures are refused before they are unpacked."""
MOST_RATIO = 1000
"""Between the sides: what is longer is no picture, and takes memory out of proportion."""
_LARGE = 4_000_000
"""Pixels of a picture that is unpacked alone: it takes up to twelve bytes a pixel meanwhile."""
_alone = threading.Lock()

_ORIENTATION = 0x0112
"""The tag of Exif that says how the camera was held."""
_NO_PILLOW = "This server cannot read JPEG: Pillow is not installed on it. Send a PNG."


def decode_picture(content: Body) -> np.ndarray:
    """Return the pixels of a JPEG or PNG (height x width x 3, RGB), turned by its EXIF orientation.

    The bytes decide on the format, not the content type: clients guess that from file names.

    Raises:
        HttpError: 400 when it is damaged, 413 when it is too large, 415 for another kind, or one
            that needs Pillow on a target without it.
    """
    kind = kind_of(content)
    if not kind:
        raise HttpError(415, "The body is neither a JPEG nor a PNG.")
    try:
        import PIL.Image  # noqa: F401
    except ImportError:
        if kind != "PNG":
            raise HttpError(415, _NO_PILLOW) from None
        return _with_own_decoder(content)
    return _with_pillow(content)


def _with_own_decoder(content: Body) -> np.ndarray:
    try:
        header = png.header_of(content)
        with _turn(header.width, header.height):
            return png.decode(content)
    except png.UnsupportedPicture as error:
        raise HttpError(415, str(error)) from None
    except png.DamagedPicture as error:
        raise HttpError(400, str(error)) from None


def _with_pillow(content: Body) -> np.ndarray:
    import PIL.Image

    try:
        with PIL.Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            return _pixels(image)
    except PIL.Image.DecompressionBombError:  # its own limit lies far above ours
        raise _too_large() from None
    except (OSError, ValueError, SyntaxError, EOFError):  # what damaged files raise in it
        raise HttpError(400, "The picture is damaged.") from None


def _pixels(image: Image) -> np.ndarray:
    import PIL.ImageOps

    with _turn(image.width, image.height):
        if image.getexif().get(_ORIENTATION, 1) != 1:
            image = PIL.ImageOps.exif_transpose(image)
        return np.asarray(_rgb(image), np.uint8)


@contextmanager
def _turn(width: int, height: int) -> Iterator[None]:
    """The turn of a picture to be unpacked, when its size is acceptable."""
    if width * height > MOST_PIXELS:
        raise _too_large()
    if max(width, height) > MOST_RATIO * max(1, min(width, height)):
        sentence = "The picture is {} x {}: its sides may differ by a factor of {} at most."
        raise HttpError(400, sentence.format(width, height, MOST_RATIO))
    if width * height < _LARGE:
        yield
        return
    with _alone:
        yield


def _too_large() -> HttpError:
    sentence = "The picture has more than the {} million pixels that are read."
    return HttpError(413, sentence.format(MOST_PIXELS // 10**6))


def _rgb(image: Image) -> Image:
    """Eight bits a channel; transparent parts on white. The same steps as in the studio."""
    import PIL.Image

    if image.mode.startswith("I"):  # 16 bits of grey, which a plain conversion would clip
        grey = (np.asarray(image, dtype=np.float32) / 257).round().clip(0, 255)
        image = PIL.Image.fromarray(grey.astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = PIL.Image.new("RGBA", layer.size, "white")
        return PIL.Image.alpha_composite(page, layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
