"""The compilation of ONNX models by QNN and their run in its emulator, where both live.

This file, its parts, numpy and ONNX Runtime with the QNN provider; nothing of the studio. ``run``
is called as ``studio.api.chips`` describes for compilers.
"""

from __future__ import annotations

import glob
import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy

# Its parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_log: Any = importlib.import_module("tool_log")
_sessions: Any = importlib.import_module("tool_session")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_SECONDS = 180.0
"""Time for the samples: the emulator needs minutes for one of a larger model."""

_FIXED = (
    "The compiled model has fixed sizes. To fix them in the model, too: "
    'studio edit MODEL --edit "{}".'
)


def run(request: Json, tell: Tell) -> dict[str, object]:
    """Compile a model, or run it on samples; what goes wrong is in ``error``."""
    tell(0.0, 0.0, "Loading QNN")
    source, settings = request["source"], request["settings"]
    try:
        if request["work"] == "answer":
            _answer(source, settings, request["samples"], request["answers"], tell)
            return {}
        maker = _sessions.Maker(source, settings, request["inputs"])
        return _compile(maker, request["output"] + "_ctx.onnx", tell)
    except _sessions.Uncompilable as refused:
        return {"error": f"QNN refuses the model: {refused}.", "edits": refused.edits}


def _compile(maker: Any, path: str, tell: Tell) -> dict[str, object]:
    """Compile without the processor next to the chip, or else with it and with its nodes."""
    made: dict[str, object] = {"artefact": os.path.basename(path)}
    if maker.fixed:
        edit = f"dimensions {' '.join(maker.fixed)}"
        made["warnings"], made["edits"] = [_FIXED.format(edit)], [edit]
    tell(0.0, 0.0, "Compiling the model")
    reason = maker.compile(path, alone=True)
    if not reason:
        return made
    tell(0.0, 0.0, "Compiling the model in part")
    _remove(path)
    reason = maker.compile(path, alone=False)
    nodes = _log.nodes(maker.printed, floats=maker.has_floats)
    refused = [node for node in nodes if not node.on_chip]
    if reason and not refused:
        raise _sessions.Uncompilable(reason)
    if reason or len(refused) == len(nodes):
        # No part can be compiled: the runtime builds no model, or leaves all to the processor.
        _remove(path)
        made.pop("artefact")
        nodes = refused
    return {**made, "nodes": [node._asdict() for node in nodes]}


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def _answer(source: str, settings: Json, samples: str, answers: str, tell: Tell) -> None:
    """Run the samples as long as there is time, one at least."""
    paths = sorted(glob.glob(os.path.join(glob.escape(samples), "*.npz")))
    session, shapes, longest = None, None, 0.0
    begun = time.monotonic()
    for number, path in enumerate(paths):
        started = time.monotonic()
        if number and started - begun + longest > _SECONDS:
            return
        with numpy.load(path, allow_pickle=False) as arrays:
            given = {name: arrays[name] for name in arrays.files}
        sizes = {name: list(array.shape) for name, array in given.items()}
        tell(float(number), float(len(paths)), f"Emulating sample {number + 1} of {len(paths)}")
        if session is None or shapes != sizes:
            maker = _sessions.Maker(source, settings, sizes)
            session, shapes = maker.session(), sizes
        made = session.run(None, given)
        numpy.savez(
            os.path.join(answers, os.path.basename(path)),
            **{str(at): array for at, array in enumerate(made)},
        )
        longest = max(longest, time.monotonic() - started)
