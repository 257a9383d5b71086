"""The names that the values of an ONNX model have in a Core ML program made of it.

Used by ``tool.py``: the standard library alone; nothing of the studio.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

KEY = "com.edgewright.onnx_values"
"""Entry of a package's metadata: nodes by the names of the ONNX model's values."""

_HALF = "_cast_fp16"
"""Ending of a value that is computed in float16."""


def written(program: Any) -> str:
    """Return the entry for a program of PyTorch, whose nodes keep the names as notes."""
    notes = ((node, node.meta.get("custom") or {}) for node in program.graph.nodes)
    return json.dumps({name: str(node.name) for node, one in notes for name in one.get("onnx", [])})


def known(
    metadata: Mapping[str, str], made: Collection[str], names: Sequence[str]
) -> dict[str, str]:
    """Return the program's own names of those of the ONNX model's values that it has.

    Args:
        made: All values of the program.
    """
    nodes = json.loads(metadata.get(KEY) or "{}")
    own = {name: nodes[name] for name in names if name in nodes}
    halves = {name: node + _HALF for name, node in own.items() if node + _HALF in made}
    return {name: node for name, node in {**own, **halves}.items() if node in made}
