"""Results of earlier versions under the keys of this one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

ValueT = TypeVar("ValueT")

_FORMER, _FORMER_TEXT = "recipe", "recipe_text"


def with_new_keys(result: Mapping[str, ValueT]) -> dict[str, ValueT]:
    """Return a stored result under the former keys and those of today."""
    found = dict(result)
    # A quantization has a table of settings there, a sample the path of a pipeline.
    kind = "preset" if isinstance(found.get(_FORMER), Mapping) else "pipeline"
    for former, key in ((_FORMER, kind), (_FORMER_TEXT, "preset_text")):
        if former in found:
            found.setdefault(key, found[former])
    return found
