"""A picture of a request with its answer drawn on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, List, Mapping, Sequence, Tuple

import numpy as np

from ..http.message import HttpError
from ..images.canvas import COLORS, Canvas, Color, Corners
from ..images.png_writer import encode_png

if TYPE_CHECKING:
    from ..decoders.decoder import Decoder, PictureInInput

PNG, JPEG = "image/png", "image/jpeg"

MOST_SIDE = 1280
"""Larger pictures are drawn smaller, by a whole number."""

_COCO_BONES = (
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10), (5, 11), (6, 12),
    (11, 12), (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip
_QUALITY = 85


def kind_of_drawing(accept: str) -> str:
    """Return the type of picture that a client wants; empty where it wants the usual answer.

    Args:
        accept: Header of the request; its first type decides, as browsers list pictures, too.
    """
    first = accept.lower().split(",")[0].partition(";")[0].strip()
    return first if first in (PNG, JPEG) else ""


def drawn(
    prediction: Mapping[str, Any],
    decoder: Decoder,
    picture: PictureInInput,
    kind: str,
) -> bytes:
    """Return the picture with an answer on it.

    Args:
        prediction: One entry of the answer of ``/predict``.
        picture: With its pixels.
        kind: ``PNG`` or ``JPEG``.

    Raises:
        HttpError: 406, when a JPEG is wanted and Pillow is not installed.
    """
    assert picture.pixels is not None, "kept when a drawing is wanted"
    step = -(-max(picture.height, picture.width) // MOST_SIDE)
    canvas = Canvas(_smaller(picture.pixels, step))
    _draw(canvas, prediction, decoder, picture, 1 / step)
    return _encoded(canvas.pixels, kind)


def _smaller(pixels: np.ndarray, step: int) -> np.ndarray:
    """Return a copy of a picture with a mean for each step x step pixels: of up to four of them."""
    height, width = pixels.shape[:2]
    places = range(step) if step <= 2 else (step // 4, 3 * step // 4)
    rows = [np.arange(0, height, step) + at for at in places]
    columns = [np.arange(0, width, step) + at for at in places]
    total = np.zeros((len(rows[0]), len(columns[0]), 3), np.uint16)
    for one in rows:
        row = pixels[np.minimum(one, height - 1)]
        for other in columns:
            total += row[:, np.minimum(other, width - 1)]
    found: np.ndarray = (total // len(places) ** 2).astype(np.uint8)
    return found


def _encoded(pixels: np.ndarray, kind: str) -> bytes:
    if kind == PNG:
        return encode_png(pixels)
    try:
        import PIL.Image
    except ImportError:
        sentence = "This server cannot write JPEG: Pillow is not installed on it. Accept image/png."
        raise HttpError(406, sentence) from None
    content = io.BytesIO()
    PIL.Image.fromarray(pixels).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _draw(
    canvas: Canvas,
    prediction: Mapping[str, Any],
    decoder: Decoder,
    picture: PictureInInput,
    scale: float,
) -> None:
    if "map" in prediction:
        _draw_map(canvas, prediction["map"], picture)
    for one in prediction.get("regions", ()):
        _draw_region(canvas, one, scale)
    found = prediction.get("objects", ())
    for one in found:  # masks first, so that no label is under one
        _draw_mask(canvas, one, scale)
    for one in found:
        _draw_object(canvas, one, decoder.settings.point_score, scale)
    top = 0.0
    for line, color in _lines(prediction):
        top = canvas.text((0, top), line, color)


def _color(index: int) -> Color:
    return COLORS[index % len(COLORS)]


def _corners(one: Mapping[str, Any], scale: float) -> Corners:
    left, top, right, bottom = (side * scale for side in one["box"])
    return left, top, right, bottom


def _draw_mask(canvas: Canvas, one: Mapping[str, Any], scale: float) -> None:
    if "mask" in one:
        mask = one["mask"]
        runs = np.array(mask["runs"], dtype=np.intp)
        cells = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
        shape = mask["height"], mask["width"]
        canvas.tint(cells.reshape(shape), _corners(one, scale), _color(one["index"]))


def _draw_object(canvas: Canvas, one: Mapping[str, Any], least: float, scale: float) -> None:
    color, corners = _color(one["index"]), _corners(one, scale)
    canvas.box(corners, color)
    if "points" in one:
        _draw_points(canvas, one["points"], least, scale, color)
    text = "{} {:.0f} %".format(one["label"], 100 * one["score"])
    canvas.text((corners[0], corners[1] - canvas.line_height), text, color)


def _draw_points(
    canvas: Canvas, points: Sequence[Mapping[str, Any]], least: float, scale: float, color: Color
) -> None:
    places = [(one["x"] * scale, one["y"] * scale) for one in points]
    seen = [one["score"] >= least for one in points]
    # Only a server of such a model loads what reads poses.
    from ..decoders.keypoints import COCO

    if tuple(one["name"] for one in points) == COCO:
        for begin, end in _COCO_BONES:
            if seen[begin] and seen[end]:
                canvas.line(places[begin], places[end], color)
    for place, is_seen in zip(places, seen):
        if is_seen:
            canvas.disc(place, 2 * canvas.thick, color)


def _draw_region(canvas: Canvas, one: Mapping[str, Any], scale: float) -> None:
    canvas.polygon([(x * scale, y * scale) for x, y in one["corners"]], COLORS[0])


def _draw_map(canvas: Canvas, cells: Mapping[str, Any], picture: PictureInInput) -> None:
    """Tint every class but the first, which is usually the background."""
    runs = np.array(cells["runs"], dtype=np.intp).reshape(-1, 2)
    classes = np.repeat(runs[:, 0], runs[:, 1]).reshape(cells["height"], cells["width"])
    corners = _input_on(canvas, picture)
    for index in np.unique(classes).tolist():
        if index:
            canvas.tint(classes == index, corners, _color(index))


def _input_on(canvas: Canvas, picture: PictureInInput) -> Corners:
    """Return where the whole input of the model is on the canvas."""
    at = picture.placement
    if at is None:
        return 0.0, 0.0, float(canvas.width), float(canvas.height)
    across, down = canvas.width / at.columns, canvas.height / at.rows
    left, top = -at.left * across, -at.top * down
    return left, top, left + at.width * across, top + at.height * down


def _lines(prediction: Mapping[str, Any]) -> List[Tuple[str, Color]]:
    """Return what is written in the upper left corner, line by line."""
    found: List[Tuple[str, Color]] = []
    for one in prediction.get("classes", ()):
        share = one.get("score", one.get("share", 0.0))
        # The classes of a map have the colours of their cells.
        color = _color(one["index"]) if "share" in one else COLORS[0]
        found.append(("{} {:.1f} %".format(one["label"], 100 * share), color))
    if "probability" in prediction:
        text = "{} {:.1f} %: {}".format(
            prediction.get("label", "probability"),
            100 * prediction["probability"],
            prediction["decision"],
        )
        found.append((text, COLORS[0]))
    if "text" in prediction:
        found.append((prediction["text"], COLORS[0]))
    if "vector" in prediction:
        text = "{:,} numbers, norm {:.3f}".format(len(prediction["vector"]), prediction["norm"])
        found.append((text, COLORS[0]))
    for one in prediction.get("values", ()):
        value = "-" if one["value"] is None else "{:g}".format(one["value"])
        words = (one.get("name", ""), value, one.get("unit", ""))
        found.append((" ".join(filter(None, words)), COLORS[0]))
    return found
