"""Resize of ONNX as torch functions. Loaded by ``runner_table.py`` from the same folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeVar

import numpy
import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

Attributes = Mapping[str, Any]

Rows = TypeVar("Rows", torch.Tensor, "numpy.ndarray")

_PICTURE = 4
"""Axes of pictures."""


def resize(
    a: Attributes,
    x: torch.Tensor,
    roi: torch.Tensor | None = None,
    scales: torch.Tensor | None = None,
    sizes: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return a resized tensor, by the attributes of ONNX and the number of its operator set."""
    if a["opset"] < 11:
        roi, scales = None, roi
    mode = a.get("mode", "nearest")
    if mode not in ("nearest", "linear"):
        raise ValueError(f"Resize with the mode {mode} is not known here")
    factors = scales.tolist() if scales is not None and scales.numel() else None
    wanted = None
    if factors is None and sizes is not None:
        wanted = [int(each) for each in sizes.tolist()]
    over = a.get("axes") or range(x.dim())
    steps: dict[int, tuple[int, float]] = {}
    for n, axis in enumerate(over):
        size = x.shape[axis]
        target = wanted[n] if wanted is not None else math.floor(size * factors[n])  # type: ignore[index]
        if target != size:
            steps[axis] = target, factors[n] if factors is not None else target / size
    if mode == "nearest" and (repeats := _repeats(a, x, steps)):
        # Other frameworks have an operator for it; a choice of rows is one that few chips have.
        return F.interpolate(x, scale_factor=repeats, mode="nearest")
    for axis, (target, scale) in steps.items():
        rows = torch.arange(target, dtype=torch.float64)
        x = _along(a, x, axis, _coordinates(a, rows, x.shape[axis], target, scale), mode)
    return x


def _repeats(a: Attributes, x: torch.Tensor, steps: Mapping[int, tuple[int, float]]) -> list[float]:
    """Return how often rows and columns of a picture are repeated; none for another resize."""
    if x.dim() != _PICTURE or not steps or not set(steps) <= {2, 3}:
        return []
    found = []
    for axis in (2, 3):
        size = x.shape[axis]
        target, scale = steps.get(axis, (size, 1.0))
        if not isinstance(size, int) or target % size:
            return []
        # With torch, an export would take the comparison for a part of the model.
        rows = numpy.arange(target, dtype=numpy.float64)
        chosen = _nearest(a, _coordinates(a, rows, size, target, scale), numpy)
        if not numpy.array_equal(chosen.clip(0, size - 1), rows // (target // size)):
            return []
        found.append(float(target // size))
    return found


def _coordinates(a: Attributes, places: Rows, size: int, target: int, scale: float) -> Rows:
    """Return the source position of each position in a resized axis.

    Args:
        places: Numbers of the positions.
    """
    old = "asymmetric" if a["opset"] < 11 else "half_pixel"
    kind = a.get("coordinate_transformation_mode", old)
    if kind == "asymmetric":
        return places / scale
    if kind == "align_corners":
        return places * ((size - 1) / max(1e-9, size * scale - 1))
    if kind == "pytorch_half_pixel" and target == 1:
        return places * 0.0
    if kind in ("half_pixel", "pytorch_half_pixel"):
        return (places + 0.5) / scale - 0.5
    raise ValueError(f"Resize with the coordinates {kind} is not known here")


def _nearest(a: Attributes, places: Rows, library: ModuleType) -> Rows:
    """Return the nearest source row of each position, possibly outside.

    Args:
        library: Of the array: torch or numpy.
    """
    how = a.get("nearest_mode", "round_prefer_floor" if a["opset"] >= 11 else "floor")
    rounded = {
        "floor": library.floor,
        "ceil": library.ceil,
        "round_prefer_ceil": lambda each: library.floor(each + 0.5),
        "round_prefer_floor": lambda each: library.ceil(each - 0.5),
    }
    found: Rows = rounded[how](places)
    return found


def _along(
    a: Attributes, x: torch.Tensor, axis: int, places: torch.Tensor, mode: str
) -> torch.Tensor:
    last = x.shape[axis] - 1
    if mode == "nearest":
        return x.index_select(axis, _nearest(a, places, torch).long().clamp(0, last))
    places = places.clamp(0, last)
    low = places.floor().long()
    weight = (places - low).to(x.dtype)
    weight = weight.reshape([-1 if n == axis else 1 for n in range(x.dim())])
    high = (low + 1).clamp(max=last)
    return x.index_select(axis, low) * (1 - weight) + x.index_select(axis, high) * weight
