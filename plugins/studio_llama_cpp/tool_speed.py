"""Tokens a second of a model, and the time of a weight in each type, measured on this machine."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from studio_llama_cpp.tool_library import TYPES, Array, Gguf, Library

_WARM, _TIMED = 4, 24
_CONTEXT = 64
_REST = "Q8_0"
"""Type of weights whose rows are no whole blocks of the type that is timed."""


def token_seconds(library: Library, path: Path) -> float:
    """Return the median time of a token that is written alone, on all usable cores."""
    ffi, lib = library.ffi, library.lib
    params = lib.llama_model_default_params()
    params.n_gpu_layers = 0
    model = lib.llama_model_load_from_file(os.fsencode(path), params)
    if model == ffi.NULL:
        raise ValueError("llama.cpp cannot load what was rounded for the timing")
    settings = lib.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = _CONTEXT
    settings.n_threads = settings.n_threads_batch = len(os.sched_getaffinity(0))
    context = lib.llama_init_from_model(model, settings)
    token = ffi.new("llama_token[]", [1])
    times = []
    for number in range(_WARM + _TIMED):
        begin = time.perf_counter()
        if lib.llama_decode(context, lib.llama_batch_get_one(token, 1)):
            raise ValueError("llama.cpp cannot run what was rounded for the timing")
        if number >= _WARM:
            times.append(time.perf_counter() - begin)
    lib.llama_free(context)
    lib.llama_model_free(model)
    return statistics.median(times)


class Speeds:
    """Times of a weight by type, from models that are rounded to one type each.

    What else a token costs is spread over the weights, so that the times are an upper bound.
    """

    def __init__(self, library: Library, file: Gguf, folder: Path, names: Sequence[str]) -> None:
        self._library, self._file, self._path = library, file, folder / "timed.gguf"
        self._names = names
        self._weights: dict[str, int] = {}
        for name in names:
            rows, columns = file.tensors[name].shape
            self._weights[name] = rows * columns

    def seconds(self, kinds: Sequence[str], tell: Callable[[str], None]) -> dict[str, float]:
        """Return the time of a weight in seconds of each type that some weight fits."""
        whole = sum(self._weights.values())
        rest = self._timed(_REST, tell) / whole
        found = {_REST: rest}
        for kind in kinds:
            fitting = [one for one in self._names if self._fits(one, kind)]
            count = sum(self._weights[one] for one in fitting)
            if kind != _REST and count:
                total = self._timed(kind, tell)
                found[kind] = max(total - rest * (whole - count), 0.0) / count
        return found

    def of(self, changed: Mapping[str, tuple[int, Array]]) -> float:
        """Return the seconds of a token of a model with other weights."""
        kinds = {name: one.type for name, one in self._file.tensors.items()}
        try:
            self._file.write(self._path, changed)
            return token_seconds(self._library, self._path)
        finally:
            self._file.retype(kinds)
            self._path.unlink(missing_ok=True)

    def _fits(self, name: str, kind: str) -> bool:
        return self._library.fits(TYPES[kind], self._file.tensors[name].shape)

    def _timed(self, kind: str, tell: Callable[[str], None]) -> float:
        tell(f"Timing {kind}")
        return self.of(self._rounded(kind))

    def _rounded(self, kind: str) -> Mapping[str, tuple[int, Array]]:
        changed = {}
        for name in self._names:
            one = self._file.tensors[name]
            number = TYPES[kind if self._fits(name, kind) else _REST]
            weights = self._library.widen(self._file.content(name), one.type, one.shape)
            changed[name] = (number, self._library.round(weights, number))
        return changed
