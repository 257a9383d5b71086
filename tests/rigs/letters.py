"""Printed pages for readers of text: lines of several fonts and sizes, some tilted, all noisy."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 800, 1100
_MARGIN = 50
_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_NAMES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
)
_TEXT = (
    "Order Invoice number dated the following parts were sent from our store to yours please "
    "check seals and weights before you sign for them Total net gross VAT per piece kg EUR "
    "Pump valve gasket M8x40 rev.B No.7 bearing 6204-2RS cable 3x1.5 fuse relay board sensor "
    "temperature between -20 and +85 C humidity below 90% ISO-9001 Room Monday week shipped "
    "returned open closed Signature Smith, Müller & Sons (Ltd.) http://example.org/a?b=1 "
    "12,450.00 7.5 1998 2026-11-30 10:45 #4711 A/B"
)
_WORDS = _TEXT.split()
_LARGEST_TILT = 4.0


def page(seed: int) -> np.ndarray:
    """Return a page, height x width x 3, RGB, uint8: the same one for the same seed.

    A third is tilted by up to four degrees, a quarter stands on its head. Those of even numbers
    are on tinted paper, the others are grey and noisy.
    """
    chance = random.Random(seed)
    paper = chance.randint(205, 255)
    tint = 0 if seed % 2 else chance.randint(5, 40)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), (paper, paper, paper - tint))
    _write(ImageDraw.Draw(sheet), chance)
    if seed % 3 == 1:
        tilt = chance.uniform(-_LARGEST_TILT, _LARGEST_TILT)
        fill = sheet.getpixel((0, 0))
        sheet = sheet.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=fill)
    if seed % 4 == 3:
        sheet = sheet.transpose(Image.Transpose.ROTATE_180)
    if seed % 2 == 0:
        return np.asarray(sheet)
    noise = np.random.default_rng(seed).normal(0.0, chance.uniform(1.0, 8.0), (HEIGHT, WIDTH, 1))
    return (np.asarray(sheet, np.float64) + noise).round().clip(0, 255).astype(np.uint8)


def write_page(path: Path, seed: int) -> None:
    """Write a page as PNG, in shades of grey where it has no colour."""
    sheet = Image.fromarray(page(seed))
    (sheet.convert("L") if seed % 2 else sheet).save(path, compress_level=1)


def _write(drawing: ImageDraw.ImageDraw, chance: random.Random) -> None:
    top = _MARGIN + chance.randint(0, 60)
    while top < HEIGHT - 2 * _MARGIN:
        size = chance.choice((16, 20, 20, 24, 24, 30, 44))
        font = ImageFont.truetype(str(_FONTS / chance.choice(_NAMES)), size)
        left, ink = _MARGIN + chance.choice((0, 0, 0, 60)), chance.randint(0, 90)
        for text in _columns(chance):
            while text and left + font.getlength(text) > WIDTH - _MARGIN:
                text = text.rpartition(" ")[0]
            if text:
                drawing.text((left, top), text, (ink, ink, ink), font)
            left += int(font.getlength(text)) + chance.randint(60, 160)
        top += size + chance.randint(size, 4 * size)


def _columns(chance: random.Random) -> list[str]:
    """Return the texts of one line: mostly one, sometimes two side by side."""
    lengths = chance.choice(((8,), (5,), (3,), (1,), (2, 2), (1, 1)))
    return [" ".join(chance.choices(_WORDS, k=length)) for length in lengths]
