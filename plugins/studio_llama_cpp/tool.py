"""The search of precisions of a language model, in the environment of llama.cpp.

This file and its parts, numpy and llama-cpp-py-sync alone; nothing of the studio. ``run`` is called
as ``studio.api.toolchains`` describes.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

# Before numpy is imported: afterwards its library has made its threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(len(os.sched_getaffinity(0))))
# Threads that spin at barriers are a hundred times slower when another program wants a processor.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
# A tool's parts lie next to it; the environment knows nothing of the plugin.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_search: Any = importlib.import_module("studio_llama_cpp.tool_search")
_preset: Any = importlib.import_module("studio_llama_cpp.tool_preset")

Tell = Callable[..., None]
Json = Mapping[str, Any]


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Write the model in other types; what goes wrong is in ``error``.

    With ``type`` all is of this type or mixture, else a search chooses the types.
    """
    try:
        if "type" in request:
            return _typed(request, tell)
        text = Path(request["text"]).read_bytes()
        goal = _search.Goal(
            request.get("megabytes"), request.get("kl"), request.get("tokens_per_second")
        )
        source, output = Path(request["source"]), Path(request["output"])
        search = _search.Search(source, Path(request["folder"]), text.decode("utf-8", "replace"))
        with closing(search):
            facts: dict[str, Any] = search.run(goal, output, tell)
    except _search.SearchRefused as error:
        return {"error": str(error)}
    return {**facts, "text": hashlib.sha256(text).hexdigest()}


def _typed(request: Json, tell: Tell) -> dict[str, Any]:
    """Write the model in one type or mixture, with a text or without one."""
    kind, rounding = request["type"], request["rounding"]
    source, output = Path(request["source"]), Path(request["output"])
    if request.get("text") is None:
        plain: dict[str, Any] = _preset.without_text(source, output, kind, tell)
        return plain
    text = Path(request["text"]).read_bytes()
    folder = Path(request["folder"])
    search = _preset.PresetSearch(source, folder, text.decode("utf-8", "replace"))
    with closing(search):
        ways = {"gptq": search.write_uniform, "awq": search.write_scaled}
        facts: dict[str, Any] = ways.get(rounding, search.write)(output, kind, tell)
    return {**facts, "text": hashlib.sha256(text).hexdigest()}
