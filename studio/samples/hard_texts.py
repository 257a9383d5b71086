"""Pictures of texts that a recogniser does not always read: tilted, blurred, noisy, odd texts."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy
from PIL import Image, ImageDraw, ImageFilter

from studio.samples.texts import Renderer

_SYMBOLS = "#%&*+-/=@"
_CODE = "".join(c for c in string.ascii_uppercase + string.digits if c not in "O0I1")
"""Without characters that look alike in some fonts."""


class HardRenderer(Renderer):
    """Mixtures of cases, digits and symbols in every cut of the usual fonts, as a camera sees them.

    A float model reads some of these wrong, so that a small loss shows on few samples.
    """

    wanted = ("DejaVu*.ttf", "Liberation*.ttf", "NotoSans-*.ttf")
    unwanted = ("*Math*",)

    def __init__(self, words: Sequence[str], seed: int) -> None:
        super().__init__(words, seed)
        self._noise = numpy.random.default_rng(seed)

    def _text(self) -> str:
        kind = self._random.randrange(6)
        if kind < 2:
            return super()._text()
        if kind == 2:
            return self._code(self._random.randrange(4, 13))
        if kind == 3:
            return f"{self._mixed()} {self._code(4)}"
        if kind == 4:
            return f"{self._mixed()}{self._random.choice(_SYMBOLS)}{self._random.randrange(10**4)}"
        return f"{self._mixed()}{self._random.choice(_SYMBOLS)}{self._mixed()}"

    def _code(self, length: int) -> str:
        """Return a serial number: capitals and digits, a hyphen in the middle of a long one."""
        code = "".join(self._random.choice(_CODE) for _ in range(length))
        return f"{code[: length // 2]}-{code[length // 2 :]}" if length > 6 else code

    def _mixed(self) -> str:
        word = self._random.choice(self._words)
        return self._random.choice((word, word.upper(), word.title(), word.swapcase().title()))

    def _picture(self, text: str) -> Image.Image:
        """Return text of low or high contrast, tilted by up to three degrees, blurred, noisy.

        All of it is mild in most pictures and bad in a few, which cannot be read whole.
        """
        uniform = self._random.uniform
        trouble = uniform(0, 1) ** 12
        ground, ink = self._shades(round(self._random.randrange(60, 200) * (1 - 0.5 * trouble)))
        font = self._font(self._random.randrange(16, 44))
        left, top, right, bottom = font.getbbox(text)
        margin = self._random.randrange(5, 14)
        size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
        picture = Image.new("RGB", size, ground)
        ImageDraw.Draw(picture).text((margin - left, margin - top), text, fill=ink, font=font)
        tilt = min(3.0, 250 / max(size)) * uniform(-1, 1)
        picture = picture.rotate(tilt, Image.Resampling.BICUBIC, expand=True, fillcolor=ground)
        blur = (right - left) / max(len(text), 1) * (uniform(0, 0.035) + 0.06 * trouble)
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
        return self._grained(picture, uniform(0, 7) + 36 * trouble)

    def _shades(self, contrast: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return ground and ink, the lighter of which is either."""
        dark = self._random.randrange(0, 240 - contrast)
        jitter = self._random.randrange
        low = tuple(dark + jitter(16) for _ in range(3))
        high = tuple(dark + contrast + jitter(16) for _ in range(3))
        return (high, low) if jitter(4) else (low, high)

    def _grained(self, picture: Image.Image, deviation: float) -> Image.Image:
        pixels = numpy.asarray(picture, numpy.float32)
        grain = self._noise.normal(0, deviation, pixels.shape)
        return Image.fromarray((pixels + grain).clip(0, 255).astype(numpy.uint8))
