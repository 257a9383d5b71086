"""Results of earlier versions under the keys of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def with_new_keys(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored result with ``preset`` or ``pipeline`` beside the former ``recipe``."""
    found = dict(result)
    # A quantization's was a table of settings; a sample's is the path of a pipeline.
    kind = "preset" if isinstance(found.get("recipe"), Mapping) else "pipeline"
    for former, key in (("recipe", kind), ("recipe_text", "preset_text")):
        if former in found:
            found.setdefault(key, found[former])
    return found
