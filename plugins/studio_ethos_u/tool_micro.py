"""The run of TFLite files as on a microcontroller, in the environment of TFLite Micro.

This file, its part, numpy and TFLite Micro alone; nothing of the studio. ``run`` is called as
``studio.api.chips`` describes for compilers. The arena is what the interpreter allocates on this
computer: pointers have 64 bits here, so a device with 32 bits needs somewhat less.
"""

from __future__ import annotations

import glob
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy

# Its part lies next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_output: Any = importlib.import_module("tool_output")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_ARENA = re.compile(r"Arena allocation total (\d+) bytes")
_MISSING = re.compile(
    r"(?:Didn't find op for builtin opcode|Failed to get registration.*?) '?(\w+)'?"
)
_ROW = 12


class Refused(Exception):
    """A model that the interpreter does not take; the text is its reason."""


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Load a file as a device does, or run it on samples; what goes wrong is in ``error``."""
    try:
        if request["work"] == "answer":
            _answer(request, tell)
            return {}
        return _compile(request, tell)
    except Refused as refused:
        return {"error": f"TFLite Micro refuses the model: {refused}."}


def _compile(request: Json, tell: Tell) -> dict[str, Any]:
    tell(0.0, 0.0, "Loading it in TFLite Micro")
    interpreter = _loaded(request["source"])
    with open(request["source"], "rb") as file:
        content = file.read()
    with _output.caught() as printed:
        interpreter.print_allocations()
    arena = _ARENA.search(printed.text)
    path = request["output"] + ".cc"
    with open(path, "w", encoding="ascii") as file:
        file.writelines(_lines(content))
    return {
        "nodes": [],
        "estimate": {
            "flash_bytes": float(len(content)),
            **({"arena_bytes": float(arena[1])} if arena else {}),
        },
        "artefact": os.path.basename(path),
        "warnings": [],
    }


def _answer(request: Json, tell: Tell) -> None:
    interpreter = _loaded(request["source"])
    paths = sorted(glob.glob(os.path.join(glob.escape(request["samples"]), "*.npz")))
    for number, path in enumerate(paths):
        tell(float(number), float(len(paths)), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            given = [arrays[name] for name in arrays.files]
        for place, array in enumerate(given):
            interpreter.set_input(_cast(interpreter.get_input_details(place), array), place)
        _called(interpreter.invoke)
        made: dict[str, Any] = {}
        while (output := _given(interpreter, len(made))) is not None:
            made[str(len(made))] = output
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)


def _loaded(path: str) -> Any:
    from tflite_micro import runtime

    return _called(lambda: runtime.Interpreter.from_file(path))


def _called(call: Callable[[], Any]) -> Any:
    """Call the interpreter; it prints why it fails, and raises little more than the fact."""
    error: RuntimeError | None = None
    with _output.caught() as printed:
        try:
            return call()
        except RuntimeError as raised:
            error = raised
    missing = _MISSING.search(printed.text)
    reason = f"it has no operator {missing[1]}" if missing else printed.text or str(error)
    raise Refused(_output.one_line(reason))


def _cast(place: Json, array: Any) -> Any:
    """Return an input in the type of the model; a quantized one gets its steps."""
    found = numpy.asarray(array)
    if found.dtype != place["dtype"]:
        (scale,), (zero,) = _steps(place)
        limits = numpy.iinfo(place["dtype"])
        found = numpy.clip(numpy.round(found / scale) + zero, limits.min, limits.max)
    return found.reshape(place["shape"]).astype(place["dtype"])


def _given(interpreter: Any, number: int) -> Any:
    """Return an output in floats; None behind the last."""
    try:
        place = interpreter.get_output_details(number)
        found = interpreter.get_output(number)
    except (RuntimeError, ValueError, IndexError):
        return None
    scales, zeros = _steps(place)
    if len(scales) == 1 and numpy.issubdtype(found.dtype, numpy.integer):
        found = (found.astype(numpy.float32) - zeros[0]) * scales[0]
    return found


def _steps(place: Json) -> tuple[Any, Any]:
    found = place["quantization_parameters"]
    return found["scales"], found["zero_points"]


def _lines(content: bytes) -> Iterator[str]:
    """Yield the lines of a C++ file with the model as an array."""
    yield "// A TFLite model for TFLite Micro, made by Edgewright.\n#include <cstddef>\n\n"
    yield f"extern const size_t model_size = {len(content)};\n"
    yield "alignas(16) extern const unsigned char model[] = {\n"
    for start in range(0, len(content), _ROW):
        row = content[start : start + _ROW]
        yield "    " + " ".join(f"0x{byte:02x}," for byte in row) + "\n"
    yield "};\n"
