"""A language model in memory whose weights are replaced, measured on a text."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio_llama_cpp.tool_library import Array, Gguf, Library

_FLASH_ATTENTION = 1
_SOURCES = 152
"""Place of a tensor's sources in ggml's struct."""


class FloatModel:
    """A model of a GGUF file in float32, with one context.

    Every weight can be replaced, so that a rounded one is measured without a file.
    """

    def __init__(self, library: Library, path: Path, threads: int, window: int = 512) -> None:
        self._library, self._file = library, Gguf(library, path)
        ffi, lib = library.ffi, library.lib
        self._log = ffi.callback(
            "void(enum ggml_log_level, const char *, void *)", lambda level, text, user: None
        )
        lib.llama_log_set(self._log, ffi.NULL)
        lib.llama_backend_init()
        self._pointers: dict[str, set[int]] = {}
        self._model = self._load(path)
        self._vocabulary = lib.llama_model_get_vocab(self._model)
        self.tokens = int(lib.llama_vocab_n_tokens(self._vocabulary))
        self._listener: Callable[[str, Array], bool] | None = None
        self._wanted: Callable[[str], bool] = lambda name: False
        self._window, self._learning = window, False
        self._context = self._open(threads)
        self._batch = lib.llama_batch_init(window, 0, 1)
        self._learning = True
        self.scores([0])
        self._learning = False

    def _load(self, path: Path) -> Any:
        ffi, lib = self._library.ffi, self._library.lib
        params = lib.llama_model_default_params()
        params.n_gpu_layers = 0
        params.load_mode, params.use_extra_bufts = 0, False
        model = lib.llama_model_load_from_file(os.fsencode(path), params)
        if model == ffi.NULL:
            raise ValueError("llama.cpp cannot hold the model in float32")
        return model

    def _open(self, threads: int) -> Any:
        ffi, lib = self._library.ffi, self._library.lib
        params = lib.llama_context_default_params()
        params.n_ctx = params.n_batch = params.n_ubatch = self._window
        params.n_outputs_max = self._window
        params.n_threads = params.n_threads_batch = threads
        params.type_k = params.type_v = 1
        params.flash_attn_type = _FLASH_ATTENTION
        self._heard = ffi.callback("bool(struct ggml_tensor *, bool, void *)", self._hear)
        params.cb_eval = self._heard
        context = lib.llama_init_from_model(self._model, params)
        if context == ffi.NULL:
            raise ValueError("llama.cpp cannot open the model")
        return context

    def holds(self, name: str) -> bool:
        """Return whether the model reads a tensor, so that it can be replaced."""
        return name in self._pointers

    def put(self, name: str, values: Array) -> None:
        """Replace the values of a tensor."""
        content = np.ascontiguousarray(values, np.float32)
        for pointer in self._pointers[name]:
            self._library.base.ggml_backend_tensor_set(
                ctypes.c_void_p(pointer),
                content.ctypes.data_as(ctypes.c_void_p),
                ctypes.c_size_t(0),
                ctypes.c_size_t(content.nbytes),
            )

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        ffi, lib = self._library.ffi, self._library.lib
        content = text.encode("utf-8", "replace")
        room = len(content) + 8
        while True:
            tokens = ffi.new("llama_token[]", room)
            count = lib.llama_tokenize(
                self._vocabulary, content, len(content), tokens, room, False, False
            )
            if count >= 0:
                return list(ffi.unpack(tokens, count)) if count else []
            room = -count  # a character can be several tokens

    def scores(self, tokens: Sequence[int], rows: Sequence[int] | None = None) -> Array:
        """Return the scores after tokens of one window: (rows, vocabulary).

        Args:
            rows: Places of the tokens, ascending; all without them.
        """
        places = set(range(len(tokens)) if rows is None else rows)
        ffi, lib, batch = self._library.ffi, self._library.lib, self._batch
        lib.llama_memory_clear(lib.llama_get_memory(self._context), True)
        for row, token in enumerate(tokens):
            batch.token[row], batch.pos[row] = token, row
            batch.n_seq_id[row], batch.seq_id[row][0] = 1, 0
            batch.logits[row] = row in places
        batch.n_tokens = len(tokens)
        if lib.llama_decode(self._context, batch):
            raise ValueError("llama.cpp cannot run the model")
        pointer = lib.llama_get_logits(self._context)
        count = len(places) * self.tokens
        return np.frombuffer(ffi.buffer(pointer, 4 * count), np.float32).reshape(len(places), -1)

    def listen(
        self,
        tokens: Sequence[int],
        wanted: Callable[[str], bool],
        listener: Callable[[str, Array], bool],
    ) -> None:
        """Run a window and hand over the inputs of products with weights.

        Args:
            wanted: Whether the input of a weight of this name is wanted.
            listener: Gets its name and input (tokens, columns); False ends the run there.
        """
        self._wanted, self._listener = wanted, listener
        try:
            self.scores(tokens)
        finally:
            self._wanted, self._listener = (lambda name: False), None

    def _hear(self, tensor: Any, ask: bool, user: Any) -> bool:
        if self._listener is None and not self._learning:
            return not ask
        base, ffi = self._library.base, self._library.ffi
        address = int(ffi.cast("uintptr_t", tensor))
        sources = (ctypes.c_void_p * 2).from_address(address + _SOURCES)
        if not sources[0]:
            return not ask
        name = (base.ggml_get_name(ctypes.c_void_p(sources[0])) or b"").decode("utf-8", "replace")
        if self._learning:
            if name in self._file.tensors:
                self._pointers.setdefault(name, set()).add(int(sources[0]))
            return not ask
        if name not in self._pointers or not sources[1] or not self._wanted(name):
            return not ask
        if ask:
            return True
        if base.ggml_op_desc(ctypes.c_void_p(address)) != b"MUL_MAT":
            return True
        columns = self._file.tensors[name].shape[-1]
        source = ctypes.c_void_p(sources[1])
        count = int(base.ggml_nbytes(source)) // 4
        if count % columns:
            return True
        data = ctypes.cast(base.ggml_get_data(source), ctypes.POINTER(ctypes.c_float))
        values = np.ctypeslib.as_array(data, (count // columns, columns))
        heard = self._listener
        return True if heard is None else heard(name, values)


def log_softmax(scores: Array) -> Array:
    """Return the logarithms of probabilities."""
    shifted: Array = scores - scores.max(1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(1, keepdims=True))
    return shifted
