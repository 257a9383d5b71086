"""What the benchmark runs in the environment of llama.cpp: its own presets, and the judge.

python worker.py quantize SOURCE OUT PRESET TOKENS INPUTS
python worker.py inputs SOURCE FOLDER TEXT OUT
python worker.py judge REFERENCE MODEL CACHE OUT TEXT ...
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from studio.runtime.generate.backends.llama_cpp import LlamaCppModel
from studio.runtime.generate.text_model import Part, TextSettings
from studio_llama_cpp.tool_library import TYPES, Gguf, Library
from studio_llama_cpp.tool_measure import inputs, windows
from studio_llama_cpp.tool_model import FloatModel, log_softmax

PRESETS = {
    **{"Q4_0": 2, "Q4_1": 3, "Q5_0": 8, "Q5_1": 9, "Q3_K_M": 12, "Q4_K_S": 14, "Q4_K_M": 15},
    **{"Q5_K_M": 17, "IQ4_NL": 25},
}
"""Numbers of llama.cpp's file types; an end of ``-pure`` gives all tensors the one type."""

WINDOW, FIRST, EACH = 256, 32, 4
_LEARNED = 16


def save_inputs(source: Path, folder: Path, text: Path, out: Path) -> None:
    """Write the mean squared inputs of each weight, which llama.cpp calls an importance matrix."""
    library = Library()
    file = Gguf(library, source)
    wide = folder / "inputs.gguf"
    kinds = {name: one.type for name, one in file.tensors.items()}
    content = {
        name: (0, library.widen(file.content(name), one.type, one.shape).view(np.uint8))
        for name, one in file.tensors.items()
    }
    file.write(wide, content)
    file.retype(kinds)
    model = FloatModel(library, wide, 1)
    found = inputs(model, windows(model, text.read_text(), _LEARNED), lambda text: None)
    wide.unlink()
    squares = {name: np.diag(found.products[first]) for name, first in found.of().items()}
    squares.pop("token_embd.weight", None)
    np.savez(out, **squares)


def quantize(source: Path, out: Path, preset: str, tokens: str, squares: Path | None) -> None:
    """Write a model as llama.cpp's own program does."""
    library = Library()
    ffi, lib = library.ffi, library.lib
    params = ffi.new("llama_model_quantize_params *", lib.llama_model_quantize_default_params())
    params.nthread, params.ftype = 1, PRESETS[preset.removesuffix("-pure")]
    params.pure = preset.endswith("-pure")
    if tokens != "-":
        params.token_embedding_type = params.output_tensor_type = TYPES[tokens]
    kept: list[Any] = []
    if squares is not None:
        params.imatrix = _matrix(ffi, dict(np.load(squares)), kept)
    if lib.llama_model_quantize(str(source).encode(), str(out).encode(), params):
        raise SystemExit(f"llama.cpp cannot write {preset}")


def _matrix(ffi: Any, squares: dict[str, Any], kept: list[Any]) -> Any:
    rows = ffi.new("struct llama_model_imatrix_data[]", len(squares) + 1)
    kept.append(rows)
    for number, (name, values) in enumerate(squares.items()):
        text, numbers = ffi.new("char[]", name.encode()), np.ascontiguousarray(values, np.float32)
        data = ffi.from_buffer("float[]", numbers)
        kept += [text, numbers, data]
        rows[number].name, rows[number].data, rows[number].size = text, data, numbers.size
    return rows


def judge(reference: Path, model: Path, cache: str, out: Path, texts: list[Path]) -> None:
    """Write the divergence from the reference of each token: (windows, tokens)."""
    float_model, other = _opened(reference, "f16"), _opened(model, cache)
    found = []
    for text in texts:
        tokens = float_model.encode(text.read_text())
        places = np.linspace(0, len(tokens) // WINDOW - 1, EACH).round().astype(int)
        for place in places:
            window = tokens[place * WINDOW : (place + 1) * WINDOW]
            then, now = _scores(float_model, window), _scores(other, window)
            found.append(np.einsum("ij,ij->i", np.exp(then), then - now))
    np.save(out, np.array(found))


def _opened(path: Path, cache: str) -> LlamaCppModel:
    return LlamaCppModel(path, TextSettings(threads=1, context=WINDOW, cache=cache))


def _scores(model: LlamaCppModel, window: list[int]) -> Any:
    model.keep(0, 0)
    return log_softmax(model.run([Part(0, window, WINDOW - FIRST)])[0][::2])


def main(words: list[str]) -> None:
    """Do one piece of work."""
    work, rest = words[0], words[1:]
    if work == "inputs":
        save_inputs(*map(Path, rest))
    elif work == "quantize":
        squares = Path(rest[4]) if len(rest) > 4 else None
        quantize(Path(rest[0]), Path(rest[1]), rest[2], rest[3], squares)
    else:
        judge(Path(rest[0]), Path(rest[1]), rest[2], Path(rest[3]), [Path(one) for one in rest[4:]])


if __name__ == "__main__":
    main(sys.argv[1:])
