"""Pictures of short texts, rendered with the fonts of this system, whose labels are exact."""

from __future__ import annotations

import csv
import fnmatch
import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from studio.api import Progress

_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
_WANTED = (
    "DejaVuSans.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSans-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSerif-Regular.ttf",
    "NotoSans-Regular.ttf",
)
_BUILT_IN = "Pillow's own"

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Renderer:
    """Words, numbers and mixtures of both, in varying fonts, sizes and shades.

    The same seed and the same fonts give the same pictures.

    Attributes:
        wanted, unwanted: Patterns of the font files that are used, the best first.
        fonts: Names of the fonts in use.
    """

    wanted: tuple[str, ...] = _WANTED
    unwanted: tuple[str, ...] = ()

    def __init__(self, words: Sequence[str], seed: int) -> None:
        self._words = words
        # A generator of its own: other users of the shared one would change the pictures.
        self._random = random.Random(seed)
        self._files = font_files(self.wanted, self.unwanted)
        self.fonts = tuple(path.stem for path in self._files) or (_BUILT_IN,)

    def write(self, folder: Path, count: int, progress: Progress) -> None:
        """Write ``count`` pictures and their ``labels.csv``."""
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            for number in range(count):
                progress.progress(number, count, f"Rendering picture {number + 1} of {count}")
                name, text = f"{number:03d}.png", self._text()
                self._picture(text).save(folder / name)
                rows.writerow((name, text))

    def _text(self) -> str:
        kind = self._random.randrange(5)
        words = self._random.sample(self._words, 2)
        if kind == 0:
            return self._cased(words[0])
        if kind == 1:
            return self._cased(" ".join(words))
        if kind == 2:
            return self._number()
        if kind == 3:
            return f"{words[0].capitalize()} {self._random.randrange(1, 1000)}"
        return f"{self._random.randrange(1, 100)} {words[0]} {words[1]}"

    def _cased(self, text: str) -> str:
        return self._random.choice((text, text.upper(), text.title()))

    def _number(self) -> str:
        draw = self._random.randrange
        return self._random.choice(
            (
                f"{draw(1, 10**6)}",
                f"{draw(1, 10**4)}.{draw(100):02d}",
                f"20{draw(20, 30)}-{draw(1, 13):02d}-{draw(1, 29):02d}",
                f"{draw(24):02d}:{draw(60):02d}",
                f"{draw(100, 1000)}-{draw(1000, 10000)}",
            )
        )

    def _picture(self, text: str) -> Image.Image:
        """Return dark text on a light ground, or the reverse in one picture of five."""
        draw = self._random.randrange
        ground = tuple(draw(200, 256) for _ in range(3))
        ink = tuple(draw(0, 90) for _ in range(3))
        if draw(5) == 0:
            ground, ink = ink, ground
        font = self._font(draw(26, 42))
        left, top, right, bottom = font.getbbox(text)
        margin = draw(4, 12)
        size = (int(right - left) + 2 * margin, int(bottom - top) + 2 * margin)
        picture = Image.new("RGB", size, ground)
        ImageDraw.Draw(picture).text((margin - left, margin - top), text, fill=ink, font=font)
        return picture.filter(ImageFilter.GaussianBlur(self._random.uniform(0, 0.6)))

    def _font(self, size: int) -> _Font:
        if not self._files:
            return ImageFont.load_default(size)
        return ImageFont.truetype(str(self._random.choice(self._files)), size)


def font_files(wanted: Sequence[str] = _WANTED, unwanted: Sequence[str] = ()) -> list[Path]:
    """Return the wanted fonts that this system has, by pattern, then by name."""
    # Sorted, because the order of a file system differs between machines.
    paths = [path for folder in _FOLDERS for path in sorted(Path(folder).rglob("*.ttf"))]
    files = {path.name: path for path in paths}
    names = [name for pattern in wanted for name in sorted(fnmatch.filter(files, pattern))]
    refused = {name for pattern in unwanted for name in fnmatch.filter(names, pattern)}
    return [files[name] for name in dict.fromkeys(names) if name not in refused]
