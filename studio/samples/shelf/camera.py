"""Pictures of a shelf: products, price labels, arms of persons, light and noise."""

from __future__ import annotations

import random

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from studio.lazy_dataclass import dataclass
from studio.samples.shelf.plan import COLUMNS, FACINGS, MOST, ROWS, Plan
from studio.samples.texts import font_files

WIDTH, HEIGHT = 640, 480
_CELL = 160
_PLACE = 36
_FLOOR = 118
"""Row of a cell on which its products stand."""

_FORMS = ("box", "bottle", "can", "jar")
_PRICES = ("{whole}.{rest}", "{whole},{rest}", "{whole}.{rest} €", "{whole},{rest} €")

Color = tuple[int, int, int]
Box = tuple[int, int, int, int]


def facing_box(facing: int) -> Box:
    """Return left, top, right and bottom of the products of a facing in pixels."""
    left, top = _corner(facing)
    return left + 8, top + 6, left + 8 + MOST * _PLACE, top + _FLOOR


def label_box(facing: int) -> Box:
    """Return left, top, right and bottom of the price label of a facing in pixels."""
    left, top = _corner(facing)
    return left + 26, top + 123, left + 134, top + 155


def _corner(facing: int) -> tuple[int, int]:
    return facing % COLUMNS * _CELL, facing // COLUMNS * _CELL


@dataclass(frozen=True, slots=True)
class _Product:
    """Look of the products of one facing."""

    form: str
    height: int
    width: int
    body: Color
    band: Color
    mark: Color


class ShelfCamera:
    """Renders what a fixed camera sees of a shelf; the same seed gives the same pictures."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._seed = seed
        chance = random.Random(seed)
        level = chance.randrange(70, 200)
        self._wall = _near(chance, level)
        self._board = _near(chance, chance.randrange(60, 220))
        self._products = [_product(chance, level) for _ in FACINGS]
        self._format = chance.choice(_PRICES)
        files = font_files()
        self._font = (
            ImageFont.truetype(str(chance.choice(files)), chance.randrange(19, 23))
            if files
            else ImageFont.load_default(21)
        )
        self._paper = (250, 250, chance.randrange(170, 251))
        self._ink = _near(chance, chance.randrange(5, 40))

    def picture(self, at_s: float) -> NDArray[numpy.uint8]:
        """Return the picture of a moment, height x width x 3, RGB."""
        return self.picture_and_arms(at_s)[0]

    def picture_and_arms(self, at_s: float) -> tuple[NDArray[numpy.uint8], NDArray[numpy.bool_]]:
        """Return a picture, and which of its pixels (height x width) an arm hides."""
        chance = random.Random(f"{self._seed} {at_s}")
        image = Image.new("RGB", (WIDTH, HEIGHT), self._wall)
        draw = ImageDraw.Draw(image)
        for facing in range(len(FACINGS)):
            self._draw_cell(draw, facing, at_s)
        mask = Image.new("1", (WIDTH, HEIGHT))
        for arm in self._plan.arms_at(at_s):
            _draw_arm(draw, ImageDraw.Draw(mask), arm.facing, chance)
        noise = numpy.random.default_rng([self._seed, round(at_s * 1000)])
        pixels = numpy.asarray(image, numpy.float32) * self._plan.light(at_s)
        pixels = pixels + noise.normal(0, 2.5, pixels.shape)
        return pixels.clip(0, 255).astype(numpy.uint8), numpy.array(mask)

    def _draw_cell(self, draw: ImageDraw.ImageDraw, facing: int, at_s: float) -> None:
        left, top = _corner(facing)
        shade: Color = tuple(max(0, one - 25) for one in self._wall)  # type: ignore[assignment]
        draw.rectangle((left, top, left + _CELL, top + 14), fill=shade)
        draw.rectangle((left, top + _FLOOR, left + _CELL, top + _CELL), fill=self._board)
        product = self._products[facing]
        for place in sorted(self._plan.stock(facing, at_s)):
            x = left + 8 + place * _PLACE + (_PLACE - product.width) // 2
            # A product stands where it was put: not always in the middle of its place.
            shift = (self._seed + 7 * facing + 3 * place) % 5 - 2
            _draw_product(draw, x + shift, top + _FLOOR - 1, product)
        price = self._plan.price(facing, at_s)
        if price:
            self._draw_label(draw, facing, price)

    def _draw_label(self, draw: ImageDraw.ImageDraw, facing: int, price: float) -> None:
        whole, rest = f"{price:.2f}".split(".")
        text = self._format.format(whole=whole, rest=rest)
        left, top, right, bottom = label_box(facing)
        draw.rectangle((left, top, right, bottom), fill=self._paper)
        middle = (left + right) / 2, (top + bottom) / 2
        draw.text(middle, text, fill=self._ink, font=self._font, anchor="mm")


def _near(chance: random.Random, level: int) -> Color:
    """Return nearly a grey."""
    red, green, blue = (min(255, max(0, level + chance.randint(-10, 10))) for _ in range(3))
    return red, green, blue


def _product(chance: random.Random, wall: int) -> _Product:
    """Return a product that stands out from the wall."""
    while True:
        body, band, mark = ((*(chance.randrange(256) for _ in range(3)),) for _ in range(3))
        if max(abs(one - wall) for one in body) > 60 and abs(sum(body) / 3 - wall) > 20:
            break
    height, width = chance.randrange(66, 104), chance.randrange(25, 33)
    return _Product(chance.choice(_FORMS), height, width, body, band, mark)  # type: ignore[arg-type]


def _draw_product(draw: ImageDraw.ImageDraw, x: int, floor: int, one: _Product) -> None:
    top, right = floor - one.height, x + one.width
    dark = tuple(value // 2 for value in one.body)
    if one.form == "bottle":
        neck = x + one.width // 3
        draw.rectangle((neck, top, right - one.width // 3, top + 30), fill=one.body, outline=dark)
        draw.rounded_rectangle((x, top + 24, right, floor), 7, fill=one.body, outline=dark)
    elif one.form == "box":
        draw.rectangle((x, top, right, floor), fill=one.body, outline=dark)
    else:
        draw.rounded_rectangle((x, top, right, floor), 6, fill=one.body, outline=dark)
        draw.rectangle((x + 2, top, right - 2, top + 7), fill=one.mark, outline=dark)
    middle = floor - one.height // 3
    draw.rectangle((x + 1, middle - 14, right - 1, middle + 10), fill=one.band)
    draw.ellipse((x + 8, middle - 9, right - 8, middle + 5), fill=one.mark)


def _draw_arm(
    draw: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw, facing: int, chance: random.Random
) -> None:
    """Draw a sleeve from the lower or a side edge of the picture, and a hand."""
    left, top = _corner(facing)
    hand = left + chance.randrange(20, 140), top + chance.randrange(30, 130)
    edges = (
        (hand[0] + chance.randint(-90, 90), HEIGHT + 20),
        (-20, hand[1] + chance.randint(20, 160)),
        (WIDTH + 20, hand[1] + chance.randint(20, 160)),
    )
    shoulder = chance.choice(edges[:1] * 3 + edges[1:])
    width = chance.randrange(30, 52)
    sleeve = tuple(chance.randrange(20, 236) for _ in range(3))
    tone = chance.uniform(0.35, 1.0)
    skin = int(235 * tone), int(190 * tone), int(160 * tone)
    size = width * 0.62
    oval = (hand[0] - size, hand[1] - size, hand[0] + size, hand[1] + size)
    for canvas, first, second in ((draw, sleeve, skin), (mask, 1, 1)):
        canvas.line((*hand, *shoulder), fill=first, width=width)
        canvas.ellipse(oval, fill=second)


assert len(FACINGS) == ROWS * COLUMNS
