"""Pictures for people: a frame with its objects, lines and areas, as a JPEG."""

from __future__ import annotations

import io
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from .crops import blurred
from .graph import AppGraph
from .items import Objects
from .runner import FrameResult

Point = Tuple[float, float]

_TRIES = 20
_COLORS = ((46, 160, 67), (9, 105, 218), (191, 135, 0), (207, 34, 46), (130, 80, 223))


class Mark(NamedTuple):
    """A line or an area of a step.

    Attributes:
        points: In pixels of the picture.
        closed: Whether the last point is joined to the first.
    """

    name: str
    points: Tuple[Point, ...]
    closed: bool


def marks_of(graph: AppGraph, source: str) -> List[Mark]:
    """Return the lines and areas of the steps that see a source."""
    found: List[Mark] = []
    for step in graph.steps:
        if source not in step.sources:
            continue
        settings: Mapping[str, Any] = step.settings._asdict()
        if settings.get("area"):
            found.append(Mark(step.name, _points(settings["area"]), closed=True))
        if settings.get("start") and settings.get("end"):
            found.append(Mark(step.name, _points([settings["start"], settings["end"]]), False))
        found += [
            Mark(step.name, ((line[0], line[1]), (line[2], line[3])), False)
            for line in settings.get("lines", ())
        ]
    return found


def _points(given: Sequence[Sequence[float]]) -> Tuple[Point, ...]:
    return tuple((float(one[0]), float(one[1])) for one in given)


def private_places(result: FrameResult, blur: Sequence[str]) -> np.ndarray:
    """Return the corners of the objects to blur, n x 4.

    Args:
        blur: Names of classes, or of steps whose objects are blurred.
    """
    places: List[np.ndarray] = []
    for name, value in result.values.items():
        if isinstance(value, Objects) and value.labels:
            chosen = [name in blur or label in blur for label in value.labels]
            places.append(value.corners[np.array(chosen, dtype=bool)])
    return np.concatenate(places) if places else np.zeros((0, 4))


def shown_objects(result: FrameResult) -> List[Objects]:
    """Return the objects of the last steps, so that each is drawn once."""
    named: Dict[int, Objects] = {}
    for value in result.values.values():
        if isinstance(value, Objects):
            named[id(value.pixels)] = value  # the later step has tracks and texts
    return list(named.values())


def draw(
    pixels: np.ndarray,
    result: FrameResult,
    marks: Sequence[Mark],
    width: int,
    blur: Sequence[str] = (),
    overlay: bool = True,
) -> bytes:
    """Return a frame as a JPEG, with what was found in it.

    Args:
        width: Most columns of the result.
        blur: See ``private_places``.
        overlay: Draw objects, lines and areas.

    Raises:
        OSError: when Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise OSError("pictures need the Python package pillow") from None
    if blur:
        pixels = blurred(pixels, private_places(result, blur))
    image = Image.fromarray(pixels)
    scale = min(1.0, width / image.width)
    if scale < 1.0:
        image = image.resize((width, max(1, round(image.height * scale))))
    if overlay:
        pen = ImageDraw.Draw(image)
        taken: List[Tuple[float, ...]] = []
        for number, mark in enumerate(marks):
            _draw_mark(pen, mark, scale, _COLORS[number % len(_COLORS)], taken)
        for objects in shown_objects(result):
            _draw_objects(pen, objects, scale)
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return content.getvalue()


def _draw_mark(
    pen: Any,
    mark: Mark,
    scale: float,
    color: Tuple[int, int, int],
    taken: List[Tuple[float, ...]],
) -> None:
    """Draw a line or an area with its name, which goes down until it covers no other one.

    Args:
        taken: Left, top, right and bottom of the names so far.
    """
    points = [(x * scale, y * scale) for x, y in mark.points]
    pen.line(points + (points[:1] if mark.closed else []), fill=color, width=3)
    left, top = points[0][0] + 4, points[0][1] + 4
    box = pen.textbbox((left, top), mark.name)
    for _ in range(_TRIES):
        if not any(_overlap(box, other) for other in taken):
            break
        top += box[3] - box[1] + 2
        box = pen.textbbox((left, top), mark.name)
    taken.append(box)
    pen.text((left, top), mark.name, fill=color)


def _overlap(one: Sequence[float], other: Sequence[float]) -> bool:
    beside = one[2] <= other[0] or other[2] <= one[0]
    return not (beside or one[3] <= other[1] or other[3] <= one[1])


def _draw_objects(pen: Any, objects: Objects, scale: float) -> None:
    corners = np.nan_to_num(objects.corners) * scale
    for at, (left, top, right, bottom) in enumerate(corners.tolist()):
        color = _COLORS[sum(map(ord, objects.labels[at])) % len(_COLORS)]
        if objects.outlines is not None:
            points = [tuple(one) for one in (objects.outlines[at] * scale).tolist()]
            pen.line(points + points[:1], fill=color, width=2)
        else:
            pen.rectangle((left, top, max(left, right), max(top, bottom)), outline=color, width=2)
        text = objects.labels[at]
        if objects.ids is not None:
            text = "{} {}".format(text, int(objects.ids[at]))
        detail = objects.detail(at)
        text = str(detail.get("text", text))
        pen.text((left + 3, max(0.0, top - 12)), text, fill=color)
