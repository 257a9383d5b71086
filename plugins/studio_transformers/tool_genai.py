"""The conversion of folders of transformers to onnxruntime-genai, by that project's builder.

This file and its parts, and onnxruntime-genai with what its builder needs; nothing of the studio.
``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Before anything is imported: no hub is reached, and nothing calls home.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}
# A tool's parts lie next to it; the environment knows nothing of the plugin.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Tell = Callable[..., None]
Json = Mapping[str, Any]

_METHODS = {"rtn": "rtn", "k-quant": "k_quant"}
_BLOCKED = ("int4", "int8")
_CONFIG = "genai_config.json"
_UNKNOWN = "is not currently supported"


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a folder; what goes wrong is in ``error``."""
    warnings.simplefilter("ignore")
    if request["work"] != "convert":
        return {"error": "Language models are compared on texts, by studio evaluate."}
    tokens: Any = importlib.import_module("studio_transformers.tool_tokens")
    if problem := tokens.tokenizer_problem(Path(request["source"]).parent):
        return {"error": problem}
    try:
        return {"warnings": _convert(request, tell)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"onnxruntime-genai cannot write the model: {_reason(error)}."}


def _convert(request: Json, tell: Tell) -> list[str]:
    source, output = Path(request["source"]).parent, Path(request["output"])
    settings = request["settings"]
    precision = settings["precision"]
    scratch = output.parent / "builder"
    tell(0.0, 0.0, "Reading the model")
    builder = _builder()
    options = ["hf_token=false"]
    if precision in _BLOCKED:
        options.append(f"block_size={settings.get('block_size', 32)}")
        options.append(f"algo_config={_METHODS[settings.get('rounding', 'rtn')]}")
    given = ("", str(source), str(output), precision, "cpu", str(scratch))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        extra = builder.parse_extra_options(*given, options)
        tell(0.0, 0.0, f"Writing the model in {precision}")
        builder.create_model(*given, **extra)
    print(said.getvalue(), file=sys.stderr)
    if not (output / _CONFIG).is_file():
        raise ValueError("its builder wrote no configuration")
    tell(0.0, 0.0, "Comparing the tokenizers")
    tokens: Any = importlib.import_module("studio_transformers.tool_tokens")
    tokens.follow_digits(output / "tokenizer.json", together=False)
    import onnxruntime_genai

    made = onnxruntime_genai.Tokenizer(onnxruntime_genai.Model(str(output)))
    encode = functools.partial(map, made.encode)
    found: list[str] = tokens.differences(source, encode, "onnxruntime-genai")
    return found


def _builder() -> Any:
    """Return the module of the builder, which expects to lie on the path itself."""
    found = importlib.util.find_spec("onnxruntime_genai")
    if found is None or found.submodule_search_locations is None:
        raise ImportError("onnxruntime_genai is missing")
    sys.path.insert(0, os.path.join(found.submodule_search_locations[0], "models"))
    return importlib.import_module("builder")


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = (lines or ["no reason given"])[0].rstrip(".")
    return "it does not know the architecture" if _UNKNOWN in text else text
