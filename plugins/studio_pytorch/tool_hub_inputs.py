"""Inputs of models of transformers: their names, sizes, and made-up samples that make sense.

Used by ``tool_hub.py``: numpy and torch alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

Json = Mapping[str, Any]

_parts: Any = importlib.import_module("tool_models")
_carried: Any = importlib.import_module("tool_hub_carried")

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
PICTURES, SOUND = "pixel_values", "input_values"

_ROWS = 6
_LENGTH, _SAMPLE_LENGTH = 8, 24
"""Of texts: of the export's example, and of the samples, which show that the length is open."""

_SOUND, _SAMPLE_SOUND = 8000, 12_000
_SIDE = 224
_LEAST_ID = 5
"""The numbers below are most often those of special tokens."""


@dataclass(frozen=True)
class HubInput:
    """An input of a model of transformers.

    Attributes:
        shape: Of the export's example.
        open_axes: Sizes that stay open.
        high: Values of whole numbers lie below; 0 for numbers with a point.
    """

    name: str
    shape: tuple[int, ...]
    open_axes: tuple[int, ...]
    high: int = 0

    @property
    def is_picture(self) -> bool:
        """Whether it takes pictures."""
        return self.name == PICTURES

    def filled(self, sizes: Sequence[int]) -> Any:
        """Return an example of other sizes."""
        if not self.high:
            return torch.rand(tuple(sizes))
        if self.name == MASK:
            return torch.ones(tuple(sizes), dtype=torch.int64)
        return torch.arange(numpy.prod(sizes)).reshape(tuple(sizes)) % self.high

    def samples(self, spec: Json | None) -> Any:
        """Return made-up rows, as long as the user has it or else longer than the example."""
        sizes = list((spec or {}).get("shape") or self._longer())[1:]
        random = numpy.random.default_rng(0)
        if not self.high:
            return random.standard_normal((_ROWS, *sizes)).astype(numpy.float32)
        if self.name == MASK:
            return numpy.ones((_ROWS, *sizes), numpy.int64)
        least = min(_LEAST_ID, self.high - 1) if self.name == IDS else 0
        return random.integers(least, self.high, (_ROWS, *sizes))

    def _longer(self) -> tuple[int, ...]:
        if 1 not in self.open_axes:
            return self.shape
        longer = _SAMPLE_SOUND if self.name == SOUND else _SAMPLE_LENGTH
        return (self.shape[0], longer, *self.shape[2:])


def inputs_of(model: Any, tokenizer: Json, pictures: Json) -> list[HubInput]:
    """Return the inputs of a model that its tokenizer or processor makes.

    Raises:
        ConversionError: when it takes what is neither a text nor a picture nor a sound.
    """
    taken = inspect.signature(model.forward).parameters
    if IDS in taken and PICTURES in taken:
        pixels = _pictures(model.config.vision_config, pictures)
        return [*_texts(model.config.text_config, taken, tokenizer), pixels]
    config = model.config
    if model.main_input_name == IDS:
        return _texts(config, taken, tokenizer)
    if model.main_input_name == PICTURES:
        return [_pictures(config, pictures)]
    if model.main_input_name == SOUND:
        return _sounds(config, taken, pictures)
    raise _parts.ConversionError(
        f"The model takes {model.main_input_name}, and not texts, pictures or sounds."
    )


def _texts(config: Any, taken: Mapping[str, Any], tokenizer: Json) -> list[HubInput]:
    types = int(getattr(config, "type_vocab_size", 0) or 0)
    highs = {IDS: int(config.vocab_size), MASK: 2, TYPES: types}
    usual = [IDS, MASK, *([TYPES] if types > 1 else [])]
    wanted = tokenizer.get("model_input_names")
    names = [one for one in usual if not isinstance(wanted, list) or one in wanted or one == IDS]
    shape = (2, _LENGTH)
    return [HubInput(one, shape, (0, 1), highs[one]) for one in names if one in taken]


def _pictures(config: Any, given: Json) -> HubInput:
    channels = int(getattr(config, "num_channels", 0) or 3)
    side = getattr(config, "image_size", None)
    height, width = side if isinstance(side, list | tuple) else (side, side)
    if not isinstance(height, int) or not isinstance(width, int):
        height, width = _processed(given, channels)
    return HubInput(PICTURES, (2, channels, height, width), (0,))


def _processed(given: Json, channels: int) -> tuple[int, int]:
    """Return the size of pictures that a processor makes."""
    found, _ = _carried.preprocess_of(given, channels)
    height, width = (
        found.get(f"crop_{side}") or found.get(side) or _SIDE for side in ("height", "width")
    )
    return height, width


def _sounds(config: Any, taken: Mapping[str, Any], given: Json) -> list[HubInput]:
    bins = getattr(config, "num_mel_bins", None)
    if bins is not None and getattr(config, "max_length", None):  # a picture of a sound
        return [HubInput(SOUND, (2, int(config.max_length), int(bins)), (0,))]
    found = [HubInput(SOUND, (2, _SOUND), (0, 1))]
    if given.get("return_attention_mask") is True and MASK in taken:
        found.append(HubInput(MASK, (2, _SOUND), (0, 1), 2))
    return found


def padded(rows: Mapping[str, Any], config: Any) -> dict[str, Any]:
    """Return samples of which every second one ends in padding, as the mask has it."""
    found = dict(rows)
    if MASK not in found:
        return found
    mask = found[MASK].copy()
    length = mask.shape[1]
    for row in range(1, len(mask), 2):
        mask[row, length - length * row // (2 * len(mask)) - 1 :] = 0
    found[MASK] = mask
    if IDS in found:
        padding = getattr(config, "pad_token_id", None) or 0
        found[IDS] = numpy.where(mask == 1, found[IDS], padding)
    return found
