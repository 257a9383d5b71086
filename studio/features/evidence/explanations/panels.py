"""Explanations as one picture: a line of panels for each sample, with the maps of variants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from studio.api import Array
from studio.documents.palette import DIM, LINE, SURFACE, TEXT
from studio.features.evidence.explanations.explainer import FoundMap
from studio.features.evidence.explanations.heat import Pixels, overlaid, scaled, tint
from studio.features.evidence.explanations.map_file import MapFile
from studio.features.evidence.explanations.results import SampleExplanation

_SIDE = 240
_GAP = 16
_LINE = 22
_MOST_BARS = 24
_MOST_TOKENS = 200
_BAR_WIDTH = 620
_LONGEST = 60
_MOST_PANELS = 6
_SIGNAL_WIDTH = 480
_BEHIND_SIGNAL = 0.75


def draw(
    path: Path,
    samples: Sequence[SampleExplanation],
    maps: MapFile,
    found: Sequence[FoundMap],
) -> None:
    """Draw all samples below each other and save the picture as PNG."""
    strips = [_strip(*pair, maps) for pair in zip(samples, found, strict=True)]
    width = max(strip.width for strip in strips)
    sheet = Image.new("RGB", (width, sum(strip.height for strip in strips)), SURFACE)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    sheet.save(path, "PNG", optimize=False, compress_level=6)


def _strip(sample: SampleExplanation, found: FoundMap, maps: MapFile) -> Image.Image:
    """Return the title of a sample with its panels."""
    panels = _panels(sample, found, maps)[:_MOST_PANELS]
    width = max(_GAP + sum(one.width + _GAP for _, one in panels), 520)
    height = 2 * _LINE + max(one.height for _, one in panels) + 2 * _GAP
    strip = Image.new("RGB", (width, height), SURFACE)
    canvas = ImageDraw.Draw(strip)
    title = f"{sample.name or 'sample'}: {sample.label}, score {sample.score:.3g}"
    canvas.text((_GAP, _GAP // 2), printable(title), TEXT, font(15))
    left = _GAP
    for caption, panel in panels:
        canvas.text((left, _GAP // 2 + _LINE), printable(caption), DIM, font(11))
        strip.paste(panel, (left, 2 * _LINE + _GAP // 2))
        left += panel.width + _GAP
    canvas.line((0, height - 1, width, height - 1), LINE)
    return strip


def _panels(
    sample: SampleExplanation, found: FoundMap, maps: MapFile
) -> list[tuple[str, Image.Image]]:
    if sample.features:
        legend = f"{sample.method}: red raises the score, blue lowers the score"
        is_text = sample.kind == "text"
        return [(legend, _tokens(sample) if is_text else _bars(sample))]
    named = [(sample.method, sample.map)]
    named += [
        (f"{one.model}, rank correlation {one.rank_correlation:.2f}", one.map)
        for one in sample.against
    ]
    if sample.sanity is not None:
        named.append(
            (
                f"shuffled weights, rank correlation {sample.sanity.mean:.2f}",
                f"{sample.map}-shuffled",
            )
        )
    is_signal = sample.kind == "signal"
    panels = [] if is_signal else [("input", _picture(sample, maps, None))]
    for caption, key in named:
        values = maps.get(key)
        panel = _signal(sample, found, values) if is_signal else _picture(sample, maps, values)
        panels.append((caption, panel))
    return panels


def _picture(sample: SampleExplanation, maps: MapFile, values: Array | None) -> Image.Image:
    pixels: Pixels = maps.pixels(sample.map)
    if values is not None:
        pixels = overlaid(pixels, values)
    image = Image.fromarray(pixels)
    scale = _SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    is_small = max(image.size) < _SIDE
    image = image.resize(size, Image.Resampling.NEAREST if is_small else Image.Resampling.BILINEAR)
    if sample.box is not None:
        corners = [value * scale for value in sample.box]
        if corners[2] >= corners[0] and corners[3] >= corners[1]:
            ImageDraw.Draw(image).rectangle(corners, outline=TEXT, width=2)
    return image


def _signal(sample: SampleExplanation, found: FoundMap, values: Array | None) -> Image.Image:
    """Return the curve of a signal before columns of colour."""
    array = found.altered.sample[0]
    if found.altered.axes == (1,) and array.ndim > 1:
        array = array.T
    lines = array.reshape(-1, array.shape[-1]).astype(float)
    image = Image.new("RGB", (_SIGNAL_WIDTH, _SIDE // 2), SURFACE)
    canvas = ImageDraw.Draw(image)
    count = lines.shape[1]
    if values is not None:
        for place, share in enumerate(scaled(values)):
            left, right = (at * _SIGNAL_WIDTH / count for at in (place, place + 1))
            canvas.rectangle((left, 0, right, image.height), tint(float(share) * _BEHIND_SIGNAL))
    low, high = float(lines.min()), float(lines.max())
    height = image.height - 8
    for line in lines[:4]:
        shares = (line - low) / (high - low) if high > low else line * 0
        points = [
            ((place + 0.5) * _SIGNAL_WIDTH / count, 4 + height * (1 - float(share)))
            for place, share in enumerate(shares)
        ]
        canvas.line(points, TEXT, 1)
    return image


def _bars(sample: SampleExplanation) -> Image.Image:
    """Return a bar for each feature, the most important first."""
    rows = sorted(sample.features, key=lambda one: -abs(one.share))[:_MOST_BARS]
    top = max((abs(one.share) for one in rows), default=0) or 1
    image = Image.new("RGB", (_BAR_WIDTH, _LINE * len(rows) + 4), SURFACE)
    canvas = ImageDraw.Draw(image)
    middle, reach = 430, 110
    for number, one in enumerate(rows):
        y = number * _LINE
        name = one.name if len(one.name) <= _LONGEST // 2 else f"{one.name[: _LONGEST // 2]}…"
        canvas.text((0, y + 4), printable(f"{name} = {one.value:.4g}"), TEXT, font(12))
        end = middle + reach * one.share / top
        canvas.rectangle(
            (min(middle, end), y + 4, max(middle, end), y + 18), tint(_sign(one.share))
        )
        canvas.text((_BAR_WIDTH - 70, y + 4), f"{one.share:+.3g}", DIM, font(12))
    canvas.line((middle, 0, middle, image.height), LINE)
    return image


def _tokens(sample: SampleExplanation) -> Image.Image:
    """Return the tokens in lines, each on its colour."""
    tokens = sample.features[:_MOST_TOKENS]
    top = max((abs(one.share) for one in tokens), default=0) or 1
    letters = font(13)
    places, left, line = [], 0, 0
    for one in tokens:
        text = printable(one.name)[:_LONGEST] or " "
        width = int(letters.getlength(text)) + 8
        if left and left + width > _BAR_WIDTH:
            left, line = 0, line + 1
        places.append((left, line, width, text, one.share / top))
        left += width + 4
    image = Image.new("RGB", (_BAR_WIDTH, (line + 1) * (_LINE + 4)), SURFACE)
    canvas = ImageDraw.Draw(image)
    for left, line, width, text, share in places:
        y = line * (_LINE + 4)
        canvas.rounded_rectangle((left, y, left + width, y + _LINE), 3, tint(share), LINE)
        canvas.text((left + 4, y + 3), text, TEXT, letters)
    return image


def _sign(share: float) -> float:
    return 1.0 if share > 0 else -1.0


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu where it is installed, otherwise Pillow's own font."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def printable(text: str) -> str:
    """Return one line of bounded length that every font can draw."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
