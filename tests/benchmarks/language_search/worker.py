"""What the benchmark runs in the environment of llama.cpp: its own presets, and the judge.

python worker.py quantize SOURCE OUT PRESET TOKENS INPUTS
python worker.py inputs SOURCE FOLDER TEXT OUT
python worker.py judge REFERENCE CACHE FOLDER TEXT ... -- MODEL ...
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from studio.runtime.generate.backends.llama_cpp import LlamaCppModel
from studio.runtime.generate.text_model import Part, TextSettings
from studio_llama_cpp.tool_library import TYPES, Gguf, Library
from studio_llama_cpp.tool_measure import windows
from studio_llama_cpp.tool_model import FloatModel, log_softmax
from studio_llama_cpp.tool_search import LEARNED

PRESETS = {
    **{"Q4_0": 2, "Q4_1": 3, "Q5_0": 8, "Q5_1": 9, "Q3_K_M": 12, "Q4_K_S": 14, "Q4_K_M": 15},
    **{"Q5_K_M": 17, "IQ4_NL": 25},
}
"""Numbers of llama.cpp's file types; an end of ``-pure`` gives all tensors the one type."""

WINDOW, FIRST, EACH = 256, 32, 8


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
    squares: dict[str, Any] = {}

    def add(name: str, values: Any) -> bool:
        squares[name] = squares.get(name, 0) + np.einsum("ij,ij->j", values, values)
        return True

    for one in windows(model, text.read_text(), LEARNED):
        model.listen(one, lambda name: True, add)
    wide.unlink()
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


def judge(reference: Path, cache: str, folder: Path, texts: list[Path], models: list[Path]) -> None:
    """Write each model's divergence from the reference: (windows, tokens), one file a model."""
    float_model = _opened(reference, "f16")
    others = {path: _opened(path, cache) for path in models}
    found: dict[Path, list[Any]] = {path: [] for path in models}
    for text in texts:
        tokens = float_model.encode(text.read_text())
        places = np.linspace(0, len(tokens) // WINDOW - 1, EACH).round().astype(int)
        for place in places:
            window = tokens[place * WINDOW : (place + 1) * WINDOW]
            then = _scores(float_model, window)
            chances = np.exp(then)
            for path, other in others.items():
                found[path].append(np.einsum("ij,ij->i", chances, then - _scores(other, window)))
    for path, values in found.items():
        np.save(folder / f"{path.stem}-{cache}.npy", np.array(values))


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
        cut = rest.index("--")
        texts, models = map(Path, rest[3:cut]), map(Path, rest[cut + 1 :])
        judge(Path(rest[0]), rest[1], Path(rest[2]), list(texts), list(models))


if __name__ == "__main__":
    main(sys.argv[1:])
