"""Pictures of the composed street: a background, drawn objects, light, blur and noise."""

from __future__ import annotations

from functools import lru_cache

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from studio.samples.street.scene import (
    BOTTOM_KERB,
    CROSSING,
    DOORS,
    HEIGHT,
    LANES,
    STOP,
    TOP_KERB,
    WIDTH,
    Shape,
    Street,
    Trouble,
)

Pixels = NDArray[numpy.uint8]
Floats = NDArray[numpy.float32]
Color = tuple[int, int, int]

_FINE = 4
"""Steps of a pixel at which objects are placed and drawn."""
_FADE = 8.0
_GLASS, _TYRE, _SKIN = (70, 90, 110), (25, 25, 28), (214, 170, 140)


class StreetCamera:
    """Takes the pictures of a street; the same seed gives the same pictures."""

    def __init__(self, scene: Street) -> None:
        self._scene = scene
        self._ground = background(scene.seed)
        self._draws = numpy.random.default_rng([scene.seed, 4])

    def picture(self, time: float) -> Pixels:
        """Return the picture of a moment, height x width x 3, RGB."""
        pixels = self._ground.copy()
        _light(pixels, self._scene.is_red(time))
        for one in self._scene.seen(time):
            x, y = one.foot(time)
            faces = one.lane == 1
            phase = int(y // 5) % 2 if one.lane > 1 else 0
            shown = min(1.0, (y - DOORS) / _FADE) if one.lane > 1 else 1.0
            place(pixels, one.shape, (x, y), faces, phase, shown)
        return troubled(pixels, self._scene.trouble, self._draws)


def place(
    pixels: Pixels,
    shape: Shape,
    foot: tuple[float, float],
    faces_left: bool = False,
    phase: int = 0,
    shown: float = 1.0,
) -> None:
    """Draw an object into a picture.

    Args:
        foot: Middle of its lower edge: column, row.
        phase: Of the legs of a person: 0 or 1.
        shown: Opacity from 0 to 1.
    """
    left = round((foot[0] - shape.length / 2) * _FINE)
    top = round((foot[1] - shape.height) * _FINE)
    sprite = _sprite(shape, faces_left, phase, left % _FINE, top % _FINE)
    _blend(pixels, sprite, left // _FINE, top // _FINE, shown)


def troubled(pixels: Pixels, trouble: Trouble, draws: numpy.random.Generator) -> Pixels:
    """Return a picture with the light, blur and noise of a camera."""
    if trouble.blur:
        blur = ImageFilter.GaussianBlur(trouble.blur)
        pixels = numpy.asarray(Image.fromarray(pixels).filter(blur))
    down, across = draws.integers(0, 128, 2).tolist()
    grain = _grain()[down : down + pixels.shape[0], across : across + pixels.shape[1]]
    found = pixels * numpy.float32(trouble.light) + grain * numpy.float32(trouble.noise)
    return found.clip(0, 255).astype(numpy.uint8)


@lru_cache(maxsize=1)
def _grain() -> Floats:
    """Return a plate of normal noise; pictures get different parts of it."""
    draws = numpy.random.default_rng(5)
    return draws.standard_normal((HEIGHT + 128, WIDTH + 128, 3), dtype=numpy.float32)


@lru_cache(maxsize=64)
def background(seed: int) -> Pixels:
    """Return the street without anything on it."""
    draws = numpy.random.default_rng([seed, 6])
    tint = draws.uniform(0.85, 1.1)
    picture = Image.new("RGB", (WIDTH, HEIGHT), _shade((150, 146, 140), tint))
    pen = ImageDraw.Draw(picture)
    _houses(pen, draws)
    _road(pen, tint)
    pen.rectangle((CROSSING[0] - 6, 60, CROSSING[1] + 6, DOORS + 6), fill=(34, 32, 36))
    for x in (120 + int(draws.integers(-30, 30)), 540 + int(draws.integers(-30, 30))):
        pen.rectangle((x, 70, x + 3, 128), fill=(60, 62, 64))
        pen.ellipse((x - 6, 62, x + 9, 72), fill=(230, 226, 190))
    picture = picture.filter(ImageFilter.GaussianBlur(0.6))
    texture = draws.normal(0, 4, (HEIGHT, WIDTH, 1))
    return (numpy.asarray(picture) + texture).clip(0, 255).astype(numpy.uint8)


def _houses(pen: ImageDraw.ImageDraw, draws: numpy.random.Generator) -> None:
    x = 0
    while x < WIDTH:
        wide = int(draws.integers(70, 140))
        wall = _color(draws, 90, 200)
        pen.rectangle((x, 0, x + wide, 105), fill=wall)
        for row in (12, 46, 78):
            for column in range(x + 10, x + wide - 18, 26):
                pen.rectangle((column, row, column + 12, row + 18), fill=_color(draws, 40, 120))
        x += wide


def _road(pen: ImageDraw.ImageDraw, tint: float) -> None:
    top, bottom = TOP_KERB + 6, BOTTOM_KERB - 26
    pen.rectangle((0, top, WIDTH, bottom), fill=_shade((84, 86, 88), tint))
    for row in (top, bottom):
        pen.line((0, row, WIDTH, row), fill=_shade((180, 178, 172), tint), width=3)
    middle = (LANES[0] + LANES[1]) / 2 - 12
    for x in range(0, WIDTH, 40):
        if not CROSSING[0] - 30 < x < CROSSING[1] + 10:
            pen.line((x, middle, x + 20, middle), fill=(200, 200, 196), width=2)
    for row in range(int(top) + 8, int(bottom) - 6, 16):
        pen.rectangle((CROSSING[0], row, CROSSING[1], row + 7), fill=(205, 204, 198))
    pen.line((STOP, middle, STOP, bottom), fill=(205, 204, 198), width=4)
    pen.line((WIDTH - STOP, top, WIDTH - STOP, middle), fill=(205, 204, 198), width=4)


def _light(pixels: Pixels, is_red: bool) -> None:
    """Draw the signal of the vehicles on both sides of the crossing."""
    for x in (int(CROSSING[0]) - 14, int(CROSSING[1]) + 14):
        pixels[112:148, x : x + 2] = (50, 52, 54)
        pixels[96:112, x - 3 : x + 5] = (28, 28, 30)
        row = 98 if is_red else 105
        pixels[row : row + 5, x - 1 : x + 3] = (230, 40, 30) if is_red else (40, 220, 80)


def _blend(pixels: Pixels, sprite: Floats, left: int, top: int, shown: float) -> None:
    """Mix a sprite into a picture, cut at its edges."""
    rows, columns = sprite.shape[:2]
    begin, end = max(0, -top), min(rows, pixels.shape[0] - top)
    first, last = max(0, -left), min(columns, pixels.shape[1] - left)
    if begin >= end or first >= last:
        return
    part = sprite[begin:end, first:last]
    under = pixels[top + begin : top + end, left + first : left + last]
    mixed = under * (1 - shown * part[..., 3:]) + shown * part[..., :3]
    under[...] = mixed.clip(0, 255).astype(numpy.uint8)


@lru_cache(maxsize=4096)
def _sprite(shape: Shape, faces_left: bool, phase: int, right: int, down: int) -> Floats:
    """Return colours times opacity, and opacity, moved by quarters of a pixel."""
    drawn = _drawn(shape, phase)
    if faces_left:
        drawn = drawn.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    columns, rows = (-(-(side + _FINE) // _FINE) * _FINE for side in drawn.size)
    canvas = Image.new("RGBA", (columns, rows))
    canvas.paste(drawn, (right, down))
    fine = numpy.asarray(canvas, numpy.float64)
    fine = fine * (fine[..., 3:] / 255)
    blocks = fine.reshape(rows // _FINE, _FINE, columns // _FINE, _FINE, 4).mean(axis=(1, 3))
    blocks[..., 3] /= 255
    found: Floats = blocks.astype(numpy.float32)
    return found


@lru_cache(maxsize=2048)
def _drawn(shape: Shape, phase: int) -> Image.Image:
    """Return an object four times as large as in the picture, which it fills to its edges."""
    size = (round(shape.length * _FINE), round(shape.height * _FINE))
    picture = Image.new("RGBA", size)
    pen = ImageDraw.Draw(picture)
    draws = numpy.random.default_rng([shape.look, 7])
    {"car": _car, "truck": _truck, "person": _person}[shape.label](pen, size, draws, phase)
    return picture


def _car(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], draws: numpy.random.Generator, phase: int
) -> None:
    wide, high = size
    color = _color(draws, 20, 245)
    shoulder = high * 0.42
    front, rear = wide * float(draws.uniform(0.74, 0.8)), wide * float(draws.uniform(0.1, 0.24))
    roof = ((rear, shoulder), (rear + wide * 0.09, 0), (front - wide * 0.16, 0), (front, shoulder))
    pen.polygon(roof, fill=color)
    inner = [(x * 0.9 + wide * 0.046, y * 0.8 + high * 0.07) for x, y in roof]
    pen.polygon(inner, fill=_GLASS)
    pen.rectangle((wide * 0.44, 0, wide * 0.47, shoulder), fill=color)
    pen.rounded_rectangle((0, shoulder, wide - 1, high * 0.84), high * 0.12, fill=color)
    pen.rectangle((wide - 10, shoulder + 8, wide - 2, shoulder + 18), fill=(250, 245, 200))
    pen.rectangle((0, shoulder + 8, 7, shoulder + 18), fill=(190, 30, 30))
    _wheels(pen, size, high * 0.36, (0.2, 0.79))


def _truck(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], draws: numpy.random.Generator, phase: int
) -> None:
    wide, high = size
    body, cab = _color(draws, 90, 250), _color(draws, 20, 245)
    pen.rectangle((0, 0, wide * 0.72, high * 0.8), fill=body)
    stripe = high * float(draws.uniform(0.2, 0.6))
    pen.rectangle((0, stripe, wide * 0.72, stripe + high * 0.09), fill=cab)
    pen.rounded_rectangle((wide * 0.75, high * 0.2, wide - 1, high * 0.84), high * 0.08, fill=cab)
    pen.rectangle((wide * 0.87, high * 0.28, wide * 0.97, high * 0.5), fill=_GLASS)
    pen.rectangle((0, high * 0.78, wide * 0.98, high * 0.88), fill=(52, 52, 56))
    _wheels(pen, size, high * 0.25, (0.12, 0.26, 0.86))


def _wheels(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], across: float, places: tuple[float, ...]
) -> None:
    bottom = size[1] - 1
    for share in places:
        x = size[0] * share
        pen.ellipse((x - across / 2, bottom - across, x + across / 2, bottom), fill=_TYRE)
        pen.ellipse(
            (x - across / 5, bottom - across * 0.7, x + across / 5, bottom - across * 0.3),
            fill=(150, 152, 156),
        )


def _person(
    pen: ImageDraw.ImageDraw, size: tuple[int, int], draws: numpy.random.Generator, phase: int
) -> None:
    wide, high = size
    coat, legs, hair = _color(draws, 20, 240), _color(draws, 20, 120), _color(draws, 20, 130)
    middle, hip = wide / 2, high * 0.56
    for side in (-1, 1):
        # The leg that is ahead is longer in the picture.
        end = high - 1 if (side > 0) == bool(phase) else high * 0.94
        x = middle + side * wide * 0.16
        pen.rectangle((x - wide * 0.13, hip, x + wide * 0.13, end), fill=legs)
        arm = middle + side * wide * 0.39
        pen.rectangle((arm - wide * 0.1, high * 0.24, arm + wide * 0.1, high * 0.55), fill=coat)
    pen.rounded_rectangle((wide * 0.2, high * 0.2, wide * 0.8, hip + 4), wide * 0.12, fill=coat)
    head = high * 0.19
    pen.ellipse((middle - head / 2, 0, middle + head / 2, head), fill=_SKIN)
    pen.chord((middle - head / 2, 0, middle + head / 2, head), 180, 360, fill=hair)


def _color(draws: numpy.random.Generator, least: int, most: int) -> Color:
    red, green, blue = draws.integers(least, most, 3).tolist()
    return red, green, blue


def _shade(color: Color, tint: float) -> Color:
    red, green, blue = (min(255, round(one * tint)) for one in color)
    return red, green, blue
