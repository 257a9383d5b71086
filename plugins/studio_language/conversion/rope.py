"""The rotation of positions: settings of transformers, and keys of GGUF."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy

from studio.api import InvalidModel
from studio_language.conversion.float_tensors import Floats

Json = Mapping[str, Any]

FACTORS = "rope_freqs.weight"
"""The tensor of GGUF that divides the frequencies, as Llama 3.1 and later need it."""

_TRIED = ((8.0, 8192), (32.0, 8192), (16.0, 8192), (4.0, 8192))
"""Factors and contexts of the models that were published with such a tensor."""

_LOW, _HIGH = 1.0, 4.0


def settings_of(config: Json) -> dict[str, Any]:
    """Return base and kind of the rotation, as the newest transformers writes both."""
    newer, older = config.get("rope_parameters"), config.get("rope_scaling")
    found = dict(newer if isinstance(newer, dict) else older if isinstance(older, dict) else {})
    found.setdefault("rope_theta", config.get("rope_theta", 10_000.0))
    found.setdefault("rope_type", found.pop("type", "default"))
    return found


def metadata_of(rope: Json, architecture: str) -> dict[str, float | str]:
    """Return the keys of GGUF.

    Raises:
        InvalidModel: for a kind that is not written.
    """
    found: dict[str, float | str] = {f"{architecture}.rope.freq_base": float(rope["rope_theta"])}
    kind = rope["rope_type"]
    if kind == "linear":
        found[f"{architecture}.rope.scaling.type"] = "linear"
        found[f"{architecture}.rope.scaling.factor"] = float(rope["factor"])
    elif kind not in ("default", "llama3"):
        raise InvalidModel(
            f"Positions of the kind {str(kind)[:20]!r} are not written as GGUF.",
            hint="default, linear and llama3 are.",
        )
    return found


def factors(rope: Json, size: int) -> Floats | None:
    """Return what the frequencies are divided by; None where nothing changes them.

    Source: ``_compute_llama3_parameters`` of transformers, which describes Llama 3.1.
    """
    if rope["rope_type"] != "llama3":
        return None
    factor, context = float(rope["factor"]), float(rope["original_max_position_embeddings"])
    low, high = float(rope.get("low_freq_factor", _LOW)), float(rope.get("high_freq_factor", _HIGH))
    places = numpy.arange(0, size, 2, dtype=numpy.float64) / size
    lengths = 2 * math.pi * float(rope["rope_theta"]) ** places
    smooth = (context / lengths - low) / (high - low)
    between = 1 / ((1 - smooth) / factor + smooth)
    found = numpy.where(lengths > context / low, factor, between)
    return numpy.where(lengths < context / high, 1.0, found).astype(numpy.float32)


def of_gguf(base: float, scaling: str, factor: float, divided: Floats | None) -> dict[str, Any]:
    """Return the settings of transformers.

    Raises:
        InvalidModel: for a kind that is not read, or factors of an unknown rule.
    """
    if divided is not None:
        return _rule(base, divided)
    if scaling in ("", "none"):
        return {"rope_type": "default", "rope_theta": base}
    if scaling == "linear":
        return {"rope_type": "linear", "rope_theta": base, "factor": factor}
    raise InvalidModel(
        f"Positions of the kind {scaling[:20]!r} are not written as safetensors.",
        hint="Those without scaling, with a linear one and of Llama 3 are.",
    )


def _rule(base: float, divided: Floats) -> dict[str, Any]:
    size = 2 * divided.size
    for factor, context in _TRIED:
        rope = {
            "rope_type": "llama3",
            "rope_theta": base,
            "factor": factor,
            "low_freq_factor": _LOW,
            "high_freq_factor": _HIGH,
            "original_max_position_embeddings": context,
        }
        expected = factors(rope, size)
        if expected is not None and numpy.allclose(expected, divided, rtol=1e-4):
            return rope
    raise InvalidModel(
        "The frequencies of positions follow a rule that is not known here.",
        hint="Take the folder that the file was made of.",
    )
