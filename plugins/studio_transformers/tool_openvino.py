"""The conversion of folders of transformers to OpenVINO GenAI.

This file and its parts, torch, transformers, openvino and openvino-tokenizers; nothing of the
studio. ``run`` is called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# Before anything is imported: no hub is reached.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
# A tool's parts lie next to it; the environment knows nothing of the plugin.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

Tell = Callable[..., None]
Json = Mapping[str, Any]

_GROUP = 128
_TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "config.json"),
    *("special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "vocab.json"),
    *("merges.txt", "generation_config.json"),
)
_BITS = {"int4": 4, "int8": 8}


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
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or ["no reason given"])[0].rstrip(".")
        return {"error": f"OpenVINO cannot write the model: {reason}."}


def _convert(request: Json, tell: Tell) -> list[str]:
    import openvino
    import torch
    import transformers

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
    return _write_tokenizer(source, output)


def _write_tokenizer(source: Path, output: Path) -> list[str]:
    """Write the tokenizer in both forms; return a warning where it finds other tokens."""
    import numpy
    import openvino
    import transformers
    from openvino_tokenizers import convert_tokenizer

    tokens: Any = importlib.import_module("studio_transformers.tool_tokens")
    scratch = output.parent / "tokenizer"
    scratch.mkdir()
    for name in _TOKENIZER:
        if (source / name).is_file():
            shutil.copyfile(source / name, scratch / name)
    tokens.follow_digits(scratch / "tokenizer.json", together=True)
    tokenizer = transformers.AutoTokenizer.from_pretrained(scratch)
    tokenizer.save_pretrained(output)
    both = convert_tokenizer(tokenizer, with_detokenizer=True)
    for name, one in zip(("tokenizer", "detokenizer"), both, strict=True):
        openvino.save_model(one, output / f"openvino_{name}.xml")
    compiled = openvino.compile_model(both[0], "CPU")

    def encode(texts: Sequence[str]) -> list[Any]:
        found = compiled([numpy.array(texts)])
        rows = zip(found["input_ids"], found["attention_mask"], strict=True)
        return [row[seen > 0] for row, seen in rows]

    warned: list[str] = tokens.differences(source, encode, "OpenVINO")
    return warned
