"""What a folder of Hugging Face knows of its model: labels, licence, preprocessing of pictures.

Used by ``tool_hub.py`` and ``convert.py``: the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_GENERIC = re.compile(r"LABEL_\d+")
_FRONT = re.compile(r"\s*---[ \t]*\n(.*?)\n---", re.DOTALL)
_FACT = re.compile(r"^(license|license_name|license_link|base_model|author):[ \t]*(\S.*)$", re.M)
_SHORTEST = ("CLIP", "ConvNext", "Levit", "PoolFormer", "MobileNet", "MobileViT")
"""Processors that take a single number as the size of the shorter side."""

_FILTERS = {0: "nearest", 1: "Lanczos", 3: "bicubic", 4: "box", 5: "Hamming"}
"""By Pillow's number; 2 is bilinear, which ``preprocess.toml`` has."""

_EXPRESSED = frozenset(
    {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"}
    | {"do_flip_channel_order", "do_convert_grayscale"}
)
_LARGEST = 16_384
_CROPPED_BELOW = 384
"""ConvNeXt's processor cuts pictures out of larger ones below this size."""


def labels_of(config: Json) -> tuple[list[str], list[str]]:
    """Return the names of the classes in their order, and warnings; none for numbered ones."""
    names = config.get("id2label")
    if not isinstance(names, dict) or not names:
        return [], []
    found = [names.get(str(number)) for number in range(len(names))]
    if not all(isinstance(one, str) for one in found):
        return [], ["The classes of id2label are not numbered from 0, so they are not kept."]
    texts = [str(one) for one in found]
    return ([], []) if all(map(_GENERIC.fullmatch, texts)) else (texts, [])


def metadata_of(config: Json, readme: str) -> dict[str, str]:
    """Return the licence and other facts: of the front matter of the README, else of the config."""
    front = _FRONT.match(readme)
    facts = _FACT.findall(front[1]) if front else []
    found = {name: text.strip().strip("'\"") for name, text in facts}
    if isinstance(config.get("license"), str):
        found.setdefault("license", config["license"])
    match config:
        case {"architectures": [str(name), *_]}:
            found["architecture"] = name
    return {name: text[:1000] for name, text in found.items()}


def preprocess_of(given: Json, channels: int = 3) -> tuple[dict[str, Any], list[str]]:
    """Return the settings of a ``preprocess.toml``, and warnings of what it cannot express.

    Args:
        given: Of ``preprocessor_config.json``; empty without one.
        channels: Of the model's input.
    """
    if not any(name in given for name in ("image_mean", "do_resize", "do_rescale", "size")):
        return {}, []
    picture = _Picture(given, channels)
    try:
        settings = picture.settings()
    except (KeyError, TypeError, ValueError, OverflowError):
        return {}, ["The settings of preprocessor_config.json are not valid, and not kept."]
    return settings, [*picture.warnings, *picture.others()]


class _Picture:
    """The settings of one processor of pictures."""

    def __init__(self, given: Json, channels: int) -> None:
        self._given = given
        self._channels = channels
        self.warnings: list[str] = []

    def settings(self) -> dict[str, Any]:
        """Return the settings in the order in which they are applied."""
        found: dict[str, Any] = {"color": self._color()}
        if self._does("do_resize"):
            found |= self._resized()
        if self._does("do_center_crop", default=False):
            height, width = _sides(self._given["crop_size"])
            found |= {"crop_height": height, "crop_width": width}
        return {**found, **self._scaled(), "layout": "NCHW", "dtype": "float32"}

    def others(self) -> Iterator[str]:
        """Yield a sentence for each step that is not among the settings."""
        for name, value in self._given.items():
            if name.startswith("do_") and value is True and name not in _EXPRESSED:
                yield f"The step {name[:40]} of preprocessor_config.json is not in preprocess.toml."

    def _does(self, name: str, default: bool = True) -> bool:
        value = self._given.get(name)
        return default if value is None else value is True

    def _color(self) -> str:
        if self._channels == 1 or self._does("do_convert_grayscale", default=False):
            return "GRAY"
        return "BGR" if self._does("do_flip_channel_order", default=False) else "RGB"

    def _resized(self) -> dict[str, Any]:
        if name := _FILTERS.get(self._given.get("resample", 2)):
            self.warnings.append(
                f"The model was made with {name} resizing; preprocess.toml has bilinear resizing."
            )
        size = self._given["size"]
        kind = str(
            self._given.get("image_processor_type") or self._given.get("feature_extractor_type")
        )
        if not isinstance(size, dict):
            size = {"shortest_edge": size} if kind.startswith(_SHORTEST) else size
        if isinstance(size, dict) and "shortest_edge" in size:
            return self._shortest(size, kind)
        height, width = _sides(size)
        return {"resize": "stretch", "height": height, "width": width, "antialias": True}

    def _shortest(self, size: Json, kind: str) -> dict[str, Any]:
        side = _side(size["shortest_edge"])
        cover = {"resize": "cover", "height": side, "width": side, "antialias": True}
        if kind.startswith("ConvNext"):
            if side >= _CROPPED_BELOW:
                return {**cover, "resize": "stretch"}
            outer = _side(int(side / float(self._given.get("crop_pct") or 224 / 256)))
            return {
                **cover,
                "height": outer,
                "width": outer,
                "crop_height": side,
                "crop_width": side,
            }
        if "longest_edge" in size:
            self.warnings.append(
                "The pictures are resized to a shortest and a longest side, which preprocess.toml "
                "cannot express; it has the shortest one."
            )
        return cover

    def _scaled(self) -> dict[str, Any]:
        scale = float(self._given.get("rescale_factor") or 1 / 255)
        if not self._does("do_rescale"):
            scale = 1.0
        mean, std = [0.0], [1.0]
        if self._does("do_normalize") and "image_mean" in self._given:
            mean, std = (self._values(name) for name in ("image_mean", "image_std"))
        if self._does("rescale_offset", default=False):
            mean = [one + 1 for one in mean]
        return {"scale": scale, "mean": mean, "std": std}

    def _values(self, name: str) -> list[float]:
        value = self._given[name]
        found = [float(one) for one in (value if isinstance(value, list) else [value])]
        if len(found) not in (1, self._channels):
            raise ValueError(name)
        return found


def _sides(size: Any) -> tuple[int, int]:
    match size:
        case {"height": height, "width": width}:
            return _side(height), _side(width)
        case {"shortest_edge": side} | [side] | int(side):
            return _side(side), _side(side)
        case [height, width]:
            return _side(height), _side(width)
    raise ValueError("size")


def _side(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= _LARGEST:
        raise ValueError("size")
    return value
