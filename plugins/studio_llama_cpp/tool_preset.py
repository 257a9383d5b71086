"""llama.cpp's own mixtures of types, and one type throughout with GPTQ or AWQ."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio_llama_cpp.tool_awq import ScaledWeights
from studio_llama_cpp.tool_budgets import SearchRefused
from studio_llama_cpp.tool_choice import TypeChoice
from studio_llama_cpp.tool_library import NAMES, TYPES, Array, Gguf, Library
from studio_llama_cpp.tool_measure import WINDOW, Divergence, Inputs, inputs, interval
from studio_llama_cpp.tool_model import FloatModel
from studio_llama_cpp.tool_search import Search, write_wide

MIXTURES = {
    **{"Q8_0": 7, "Q6_K": 18, "Q5_K_M": 17, "Q5_K_S": 16, "Q5_0": 8, "Q5_1": 9, "Q4_K_M": 15},
    **{"Q4_K_S": 14, "Q4_0": 2, "Q4_1": 3, "IQ4_NL": 25, "IQ4_XS": 30, "Q3_K_M": 12, "Q2_K": 10},
}
"""Numbers of llama.cpp's file types."""

_AT_THE_END = ("token_embd.weight", "output.weight")
_END_KINDS = ("Q6_K", "Q8_0", "F16")

Tell = Callable[..., None]


def without_text(source: Path, output: Path, mixture: str, tell: Tell) -> dict[str, Any]:
    """Write a model in a mixture of types, each weight rounded for itself.

    Raises:
        SearchRefused: when llama.cpp cannot read or write it.
    """
    library = Library()
    try:
        shapes = _matrices(Gguf(library, source))
    except ValueError as error:
        raise SearchRefused(f"{error}.") from error
    tell(0, 0, f"Rounding to {mixture}")
    _quantize(library, source, output, mixture, {})
    return {"bytes": output.stat().st_size, "groups": _listed(library, output, shapes)}


class PresetSearch(Search):
    """A mixture of types on one model, rounded and judged with a text."""

    def write(self, output: Path, mixture: str, tell: Tell) -> dict[str, Any]:
        """Write the mixture by llama.cpp, with the mean squared inputs as weights of errors.

        llama.cpp calls these weights an importance matrix.
        """
        found = self._inputs(tell)
        squares = {name: np.diag(found.products[first]) for name, first in found.of().items()}
        squares.pop("token_embd.weight", None)
        tell(0, 0, f"Rounding to {mixture}")
        _quantize(self._library, self._file.path, output, mixture, squares)
        return self._judged(output, tell)

    def write_uniform(self, output: Path, kind: str, tell: Tell) -> dict[str, Any]:
        """Write all layers in one type, errors carried from column to column (GPTQ)."""
        found = self._inputs(tell)
        groups = self._groups(found)
        products = self._products(found, groups)
        chosen = {first: self._uniform(names, kind) for first, names in groups.items()}
        self._file.write(output, self._rounded(chosen, groups, products, tell))
        return self._judged(output, tell)

    def write_scaled(self, output: Path, kind: str, tell: Tell) -> dict[str, Any]:
        """Write all layers in one type, their columns scaled by their inputs (AWQ)."""
        found = self._inputs(tell)
        groups = self._groups(found)
        library, number = self._library, TYPES[kind]
        scaled = ScaledWeights(self._weights, tuple(self._file.tensors))
        fitting = {
            first: names
            for first, names in groups.items()
            if self._uniform(names, kind).kind == kind and first in found.products
        }

        def nearest(weights: Array, weight: Array) -> Array:
            return library.widen(library.round(weights, number, weight), number, weights.shape)

        tell(0, 0, "Scaling the columns of weights")
        products = scaled.scale(fitting, found.products, nearest)
        content = {
            name: (0, values.astype(np.float32).view(np.uint8))
            for name, values in scaled.changed.items()
        }
        for first, names in groups.items():
            one = TYPES[self._uniform(names, kind).kind]
            known = products.get(first)
            weight = None if known is None else np.diag(known)
            for name in names:
                content[name] = (one, library.round(scaled.of(name), one, weight))
        self._file.write(output, content)
        return self._judged_anew(output, tell)

    def _uniform(self, names: Sequence[str], kind: str) -> TypeChoice:
        """Return the type of a group: the first that fits its rows."""
        ends = any(name in _AT_THE_END for name in names)
        sizes = self._sizes(names)
        wanted = _END_KINDS if ends else (kind, "Q8_0", "F16")
        one = next(name for name in wanted if name in sizes)
        return TypeChoice(one, sizes[one], 0.0)

    def _judged_anew(self, output: Path, tell: Tell) -> dict[str, Any]:
        """Return the figures of a file whose vectors are others, too: it is loaded."""
        tell(0, 0, "Measuring the divergence on text that no choice has seen")
        divergence = Divergence(self._model, self._texts.judged)
        wide = output.with_name("judged.gguf")
        write_wide(self._library, Gguf(self._library, output), wide)
        other = FloatModel(self._library, wide, len(os.sched_getaffinity(0)), WINDOW)
        judged = divergence.of_model(other)
        wide.unlink()
        return self._figures(output, judged)

    def _inputs(self, tell: Tell) -> Inputs:
        return inputs(self._model, self._texts.learned, lambda text: tell(0, 0, text))

    def _judged(self, output: Path, tell: Tell) -> dict[str, Any]:
        """Return the figures of a file that was written."""
        file = Gguf(self._library, output)
        held = [name for name in self._shapes if self._model.holds(name)]
        values = {name: (file.tensors[name].type, file.content(name)) for name in held}
        return self._figures(output, self._judge(values, tell))

    def _figures(self, output: Path, judged: Array) -> dict[str, Any]:
        return {
            "bytes": output.stat().st_size,
            "kl": float(judged.mean()),
            "kl_interval": interval(judged),
            "tokens": judged.size,
            "groups": _listed(self._library, output, self._shapes),
        }


def _matrices(file: Gguf) -> dict[str, tuple[int, ...]]:
    return {name: one.shape for name, one in file.tensors.items() if len(one.shape) > 1}


def _listed(
    library: Library, path: Path, shapes: Mapping[str, tuple[int, ...]]
) -> list[dict[str, Any]]:
    """Return weights, type and bytes of each matrix of a file."""
    tensors = Gguf(library, path).tensors
    return [
        {
            "name": name,
            "weights": int(np.prod(shape)),
            "type": NAMES.get(tensors[name].type, str(tensors[name].type)),
            "bytes": tensors[name].size,
        }
        for name, shape in shapes.items()
    ]


def _quantize(
    library: Library, source: Path, output: Path, mixture: str, squares: Mapping[str, Array]
) -> None:
    """Write a model as llama.cpp's own program does.

    Raises:
        SearchRefused: when it cannot.
    """
    ffi, lib = library.ffi, library.lib
    params = ffi.new("llama_model_quantize_params *", lib.llama_model_quantize_default_params())
    params.nthread, params.ftype = len(os.sched_getaffinity(0)), MIXTURES[mixture]
    params.allow_requantize = True
    kept: list[Any] = []
    if squares:
        params.imatrix = _matrix(ffi, squares, kept)
    if lib.llama_model_quantize(os.fsencode(source), os.fsencode(output), params):
        raise SearchRefused(f"llama.cpp cannot write this model as {mixture}.")


def _matrix(ffi: Any, squares: Mapping[str, Array], kept: list[Any]) -> Any:
    """Return mean squared inputs for llama.cpp; ``kept`` owns what it points to."""
    rows = ffi.new("struct llama_model_imatrix_data[]", len(squares) + 1)
    kept.append(rows)
    for number, (name, values) in enumerate(squares.items()):
        text, numbers = ffi.new("char[]", name.encode()), np.ascontiguousarray(values, np.float32)
        data = ffi.from_buffer("float[]", numbers)
        kept += [text, numbers, data]
        rows[number].name, rows[number].data, rows[number].size = text, data, numbers.size
    return rows
