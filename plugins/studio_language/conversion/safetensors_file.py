"""The writer of safetensors files, which has one tensor in memory at most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from studio.api import Progress
from studio_language.conversion.float_tensors import FloatTensor, require_room

_DTYPES = {"fp32": ("F32", "<f4", 4), "fp16": ("F16", "<f2", 2)}
_ALIGNED = 8


def write_safetensors(
    path: Path, tensors: Sequence[FloatTensor], precision: str, progress: Progress
) -> None:
    """Write tensors in one precision.

    Raises:
        StudioError: without room on the disk.
    """
    dtype, form, width = _DTYPES[precision]
    head: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for one in tensors:
        end = at + one.count * width
        head[one.name] = {"dtype": dtype, "shape": list(one.shape), "data_offsets": [at, end]}
        at = end
    require_room(path.parent, at)
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNED)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for number, one in enumerate(tensors):
            progress.progress(number, len(tensors), f"Writing {one.name}")
            for part in one.parts():
                file.write(part.astype(form).tobytes())
