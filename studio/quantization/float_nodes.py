"""Nodes that the user keeps in float, whatever preset is used."""

from __future__ import annotations

import glob
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

from studio.quantization.preset import Preset

_KEEP = "keep"
_MOST_NAMED = 3


def with_float_nodes(
    preset: Preset, names: Sequence[str], nodes: Collection[str]
) -> tuple[Preset, str]:
    """Return a preset that keeps more nodes in float, and a sentence about those it cannot keep.

    Args:
        preset: As its transform takes it.
        names: Nodes to keep; those that the model lacks are ignored.
        nodes: Names of the model's nodes.

    Returns:
        The preset, and the sentence; empty when all nodes are kept.
    """
    if not names:
        return preset, ""
    if _KEEP not in preset.options:
        return preset, f"{preset.method} cannot keep nodes in float: {_listed(names)}."
    present = [name for name in names if name in nodes]
    missing = [name for name in names if name not in nodes]
    patterns = cast("list[str]", preset.options[_KEEP] or [])
    # A name may have characters that patterns give a meaning.
    kept = [*patterns, *(glob.escape(name) for name in present)]
    note = f"Not in this model, so not kept in float: {_listed(missing)}." if missing else ""
    return replace(preset, options={**preset.options, _KEEP: kept}), note


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
