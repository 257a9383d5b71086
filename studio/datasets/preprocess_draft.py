"""A first ``preprocess.toml`` for a model, from the shape and type of its own input."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from studio.api import InvalidData, StudioError, Value
from studio.datasets.preprocess import CHOICES, FILE

_SIDE = 224
_COLORS = {1: "GRAY", 3: "RGB"}

_TEXT = """\
# How a picture becomes the input {name} ({kind}).
# Sizes, layout and type are the model's own. color, scale, mean and std are not in its file:
# take them from how it was trained.
resize = "stretch"  # or fit, cover, height, none
height = {height}{open_height}
width = {width}{open_width}
color = "{color}"  # {colors}
scale = {scale}  # multiplies the pixels (0 to 255)
mean = [0.0]  # subtracted after that; one number, or one for each channel
std = [1.0]  # divided by
layout = "{layout}"
dtype = "{dtype}"
"""


def is_picture(value: Value) -> bool:
    """Return whether an input can hold a batch of pictures."""
    return _layout(value) is not None


def draft(value: Value) -> str:
    """Return the text of a ``preprocess.toml``.

    Raises:
        InvalidData: when the input takes no pictures.
    """
    layout = _layout(value)
    if layout is None or value.type is None:
        kind = value.type or "of unknown type"
        raise InvalidData(
            f"The input {value.name!r} is {kind}: that is no batch of pictures, so no "
            "preprocess.toml can be made for it."
        )
    shape = value.type.shape or ()
    rows, columns, channels = (shape[layout.index(axis)] for axis in "HWC")
    color = _COLORS.get(channels if isinstance(channels, int) else 3, "RGB")
    whole = not value.type.dtype.startswith("float")
    return _TEXT.format(
        name=_plain(value.name),
        kind=_plain(str(value.type)),
        height=_side(rows),
        width=_side(columns),
        open_height=_open(rows),
        open_width=_open(columns),
        color=color,
        colors="the other order is BGR" if color == "RGB" else "brightness alone",
        scale="1.0" if whole else repr(1 / 255),
        layout=layout,
        dtype=value.type.dtype,
    )


def shell_line(value: Value, path: Path) -> str:
    """Return a shell command that writes the file, without its comments.

    Raises:
        InvalidData: when the input takes no pictures.
    """
    lines = [line.partition("  #")[0] for line in draft(value).splitlines() if line[:1] != "#"]
    return " ".join(["printf '%s\\n'", *map(shlex.quote, lines), ">", shlex.quote(str(path))])


def draft_of(inputs: Sequence[Value]) -> str:
    """Return the draft for a model's only input.

    Raises:
        InvalidData: when it has more inputs, or takes no pictures.
    """
    if len(inputs) != 1:
        raise InvalidData(
            f"The model has {len(inputs)} inputs: pictures can only be given to one with a single "
            "input."
        )
    return draft(inputs[0])


def write_draft(text: str, path: Path, name: str = FILE) -> str:
    """Write a draft to a file, or into a folder under a name.

    Returns:
        The path of the file.

    Raises:
        StudioError: when another file exists there, which may hold the user's work.
    """
    path = path / name if path.is_dir() else path
    try:
        with path.open("x", encoding="utf-8") as file:
            _write_whole(file, text, path)
    except FileExistsError:
        raise StudioError(f"{path} exists already.", hint="Give another name.") from None
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror}.") from None
    return str(path)


def _write_whole(file: TextIO, text: str, path: Path) -> None:
    """Write a text, or leave no file: half of one would be taken for the model's."""
    try:
        file.write(text)
        file.flush()
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _layout(value: Value) -> str | None:
    kind = value.type
    if kind is None or kind.shape is None or len(kind.shape) != 4:
        return None
    if kind.dtype not in CHOICES["dtype"]:
        return None
    if kind.shape[3] in _COLORS and kind.shape[1] not in _COLORS:
        return "NHWC"
    first = kind.shape[1]
    return "NCHW" if first in _COLORS or not isinstance(first, int) else None


def _side(size: object) -> int:
    return size if isinstance(size, int) and size > 0 else _SIDE


def _open(size: object) -> str:
    return "" if isinstance(size, int) and size > 0 else "  # the model leaves it open"


def _plain(text: str) -> str:
    """Return text for a comment of one line."""
    return "".join(char if char.isprintable() else "?" for char in text)
