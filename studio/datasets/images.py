"""Datasets of pictures: a folder of image files with a ``preprocess.toml``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
from numpy.typing import NDArray

from studio.api import InvalidData, Sample, Value
from studio.datasets.fit import conform
from studio.datasets.labels import Label
from studio.datasets.preprocess import Preprocess
from studio.datasets.subset import spread
from studio.runtime.serve.images.preprocess import PicturePlacement

if TYPE_CHECKING:
    from PIL.Image import Image


Picture = NDArray[numpy.uint8]
"""Height × width × 3, RGB."""

Change = Callable[[str, Picture], Picture]
"""A change of the picture of a name, before its preprocessing."""

_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
"""Tag of EXIF, and its values for pictures that lie on a side."""

MOST_PIXELS = 100_000_000
"""Larger pictures are refused before they are unpacked."""


class ImageFolder:
    """Each picture of a folder is one sample."""

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path],
        value: Value,
        preprocess: Preprocess,
        labels: Mapping[str, Label] | None,
        limit: int | None,
    ) -> None:
        self._folder = folder
        self._files = [files[index] for index in spread(len(files), limit)]
        self._input = value
        self._preprocess = preprocess
        self._labels = labels
        self._change: Change | None = None

    def changing(self, change: Change) -> ImageFolder:
        """Return the same samples, whose pictures are changed before the preprocessing."""
        other = copy(self)
        other._change = change
        return other

    @property
    def labels(self) -> tuple[Label, ...]:
        """Labels of all pictures of the folder, also beyond the limit; empty without any."""
        return tuple(self._labels.values()) if self._labels else ()

    def placed(self, name: str) -> tuple[int, int, PicturePlacement]:
        """Return height and width of a picture, and where it is in the model's input.

        Raises:
            InvalidData: when the picture cannot be read.
        """
        height, width = picture_size(self._folder / name)
        return height, width, self._preprocess.placement(height, width)

    @property
    def blue_first(self) -> bool:
        """Whether the model takes blue, green and red in this order."""
        return self._preprocess.color == "BGR"

    def __len__(self) -> int:
        return len(self._files)

    def __iter__(self) -> Iterator[Sample]:
        for file in self._files:
            name = file.relative_to(self._folder).as_posix()
            picture = read_picture(file)
            if self._change is not None:
                picture = self._change(name, picture)
            array = self._preprocess.apply(picture)
            feeds = {self._input.name: conform(array, self._input, name)}
            yield Sample(feeds, self._labels[name] if self._labels else None, name)


def read_picture(path: Path) -> NDArray[numpy.uint8]:
    """Return the pixels of a picture (height × width × 3, RGB), rotated as its EXIF data say.

    Raises:
        InvalidData: when it cannot be read as a picture or is too large.
    """
    import PIL.Image
    import PIL.ImageOps

    try:
        with warnings.catch_warnings():
            # Its own limit is checked below, and lower.
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            with PIL.Image.open(path, formats=("PNG", "JPEG")) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise InvalidData(
                        f"{path.name} has {image.width}×{image.height} pixels, "
                        f"more than the {MOST_PIXELS // 10**6} million that are read."
                    )
                return numpy.asarray(_rgb(PIL.ImageOps.exif_transpose(image)), dtype=numpy.uint8)
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InvalidData(
            f"{path.name} cannot be read as a picture: it is damaged or of another kind.",
            detail=str(error),
        ) from None


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture from its header, rotated as its EXIF data say.

    Raises:
        InvalidData: when it cannot be read as a picture.
    """
    import PIL.Image

    try:
        with PIL.Image.open(path, formats=("PNG", "JPEG")) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) in _TURNED
            return (width, height) if turned else (height, width)
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError) as error:
        raise InvalidData(f"{path.name} cannot be read as a picture.", detail=str(error)) from None


def _rgb(image: Image) -> Image:
    """Return eight bits a channel, with transparent parts on white, as viewers show them."""
    import PIL.Image

    if image.mode.startswith("I"):  # 16 bits of grey, which a plain conversion would clip
        grey = (numpy.asarray(image, dtype=numpy.float32) / 257).round().clip(0, 255)
        image = PIL.Image.fromarray(grey.astype(numpy.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = PIL.Image.new("RGBA", layer.size, "white")
        return PIL.Image.alpha_composite(page, layer).convert("RGB")
    return image.convert("RGB")
