"""The conversion of folders of transformers to OpenVINO GenAI.

This file and its parts, torch, transformers, openvino and openvino-tokenizers; nothing of the
studio. ``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Before anything is imported: no hub is reached.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
# A tool's parts lie next to it; the environment knows nothing of the plugin.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Tell = Callable[..., None]
Json = Mapping[str, Any]

_GROUP = 128
_BITS = {"int4": 4, "int8": 8}


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a folder; what goes wrong is in ``error``."""
    warnings.simplefilter("ignore")
    if request["work"] != "convert":
        return {"error": "Language models are compared on texts, by studio evaluate."}
    try:
        _convert(request, tell)
    except Exception as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or [type(error).__name__])[0].rstrip(".")
        return {"error": f"OpenVINO cannot write the model: {reason}."}
    return {"warnings": []}


def _convert(request: Json, tell: Tell) -> None:
    import openvino
    import torch
    import transformers
    from openvino_tokenizers import convert_tokenizer

    source, output = Path(request["source"]).parent, Path(request["output"])
    settings = request["settings"]
    precision = settings["precision"]
    graph: Any = importlib.import_module("studio_transformers.tool_graph")
    weights: Any = importlib.import_module("studio_transformers.tool_weights")
    tell(0.0, 0.0, "Reading the model")
    kinds = {"dtype": torch.float32, "attn_implementation": "sdpa", "use_safetensors": True}
    model = transformers.AutoModelForCausalLM.from_pretrained(source, **kinds).eval()
    tell(0.0, 0.0, "Following the computation")
    made = graph.stateful(model)
    if precision in _BITS:
        tell(0.0, 0.0, f"Rounding weights to {precision}")
        weights.compress(made, _BITS[precision], settings.get("block_size", _GROUP))
    tell(0.0, 0.0, "Writing the model")
    path = output / "openvino_model.xml"
    openvino.save_model(made, path, compress_to_fp16=precision == "fp16")
    model.config.save_pretrained(output)
    model.generation_config.save_pretrained(output)
    tell(0.0, 0.0, "Writing the tokenizer")
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    both = convert_tokenizer(tokenizer, with_detokenizer=True)
    for name, one in zip(("tokenizer", "detokenizer"), both, strict=True):
        openvino.save_model(one, output / f"openvino_{name}.xml")
    tokenizer.save_pretrained(output)
