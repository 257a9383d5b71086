"""Language models in GGUF files, run by llama.cpp."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, List, Sequence

import numpy as np

from ...backends.failure import first_line
from ...shared.errors import LoadError
from ...shared.threads import usable_cores
from ..model_parts import parts_of
from ..text_model import (
    BackendFailed,
    ContextFull,
    Part,
    TextModelFacts,
    TextSettings,
)

_CACHE = {"f16": 1, "int8": 8, "int4": 2}
"""Numbers of ggml's types F16, Q8_0 and Q4_0."""

_FLASH_ATTENTION = 1
_LOUD = 4
"""ggml's level of errors."""
_SPINS = "1000"
"""Rounds that a thread spins at a barrier before it sleeps. OpenMP's usual 300,000 are a hundred
times slower as soon as another program wants a processor, since all wait for the one without."""


class LlamaCppModel:
    """A GGUF model with one context, whose sequences are the slots.

    The weights are mapped from the file. Each slot has its own share of the cache.
    """

    def __init__(self, path: Path, settings: TextSettings) -> None:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
        from llama_cpp_py_sync import __version__, _cffi_bindings

        try:
            self._ffi, self._lib = _cffi_bindings.ffi, _cffi_bindings.get_lib()
        except RuntimeError as error:
            raise LoadError("llama.cpp does not load: {}".format(first_line(error))) from error
        self._errors: List[str] = []
        self._log = self._ffi.callback(
            "void(enum ggml_log_level, const char *, void *)", self._listen
        )
        self._lib.llama_log_set(self._log, self._ffi.NULL)
        self._lib.llama_backend_init()
        self._model = self._load(path)
        try:
            self._vocabulary = self._lib.llama_model_get_vocab(self._model)
            self._context = self._open(path, settings)
        except LoadError:
            self._lib.llama_model_free(self._model)
            raise
        self._held = [0] * settings.slots
        self._batch = self._lib.llama_batch_init(settings.batch, 0, 1)
        self._facts = self._facts_of(str(__version__), settings)

    @property
    def facts(self) -> TextModelFacts:
        """Its facts."""
        return self._facts

    def encode(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a text."""
        content = text.encode("utf-8", "replace")
        room = len(content) + 8
        for _ in range(2):  # a character may be more tokens than bytes
            tokens = self._ffi.new("llama_token[]", room)
            count = self._lib.llama_tokenize(
                self._vocabulary, content, len(content), tokens, room, False, special
            )
            if count >= 0:
                break
            room = -count
        else:
            raise BackendFailed("llama.cpp could not split the text into tokens.")
        return list(self._ffi.unpack(tokens, count)) if count else []

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token."""
        return self._piece(token, False)

    def run(self, parts: Sequence[Part]) -> List[np.ndarray]:
        """Run tokens of several slots together."""
        for part in parts:
            if self._held[part.slot] + len(part.tokens) > self._facts.context:
                raise ContextFull()
        rows = self._fill(parts)
        status = self._lib.llama_decode(self._context, self._batch)
        if status:
            for part in parts:
                self.keep(part.slot, 0)
            raise BackendFailed("llama.cpp failed with status {}.".format(status) + self._reason())
        for part in parts:
            self._held[part.slot] += len(part.tokens)
        return self._scores(rows)

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens."""
        wanted = max(0, min(tokens, self._held[slot]))
        memory = self._lib.llama_get_memory(self._context)
        if not self._lib.llama_memory_seq_rm(memory, slot, wanted, -1):
            # Recurrent layers have no past to go back to.
            self._lib.llama_memory_seq_rm(memory, slot, -1, -1)
            wanted = 0
        self._held[slot] = wanted
        return wanted

    def close(self) -> None:
        """Free its memory."""
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self._context)
        self._lib.llama_model_free(self._model)

    def _listen(self, level: int, text: Any, user: Any) -> None:
        if level == _LOUD and len(self._errors) < 20:
            said = self._ffi.string(text).decode("utf-8", "replace").strip()
            self._errors.append(said[:300])

    def _reason(self) -> str:
        """Return what the library logged of an error, after a blank; empty without any."""
        found, self._errors = [one for one in self._errors if one], []
        return " {}".format(found[0].rstrip(".") + ".") if found else ""

    def _load(self, path: Path) -> Any:
        params = self._lib.llama_model_default_params()
        params.n_gpu_layers = 0
        params.check_tensors = True
        parts = [self._ffi.new("char[]", os.fsencode(one)) for one in parts_of(path)]
        paths = self._ffi.new("const char *[]", parts)
        model = self._lib.llama_model_load_from_splits(paths, len(parts), params)
        if model == self._ffi.NULL:
            raise LoadError("llama.cpp cannot load {}.{}".format(path.name, self._reason()))
        return model

    def _open(self, path: Path, settings: TextSettings) -> Any:
        """Return a context with the cache for all slots."""
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        if settings.context > trained:
            sentence = "{} was made for {} tokens of context, not for {}."
            raise LoadError(sentence.format(path.name, trained, settings.context))
        params = self._lib.llama_context_default_params()
        params.n_ctx = (settings.context or trained) * settings.slots
        params.n_seq_max = settings.slots
        params.n_batch = params.n_ubatch = settings.batch
        params.n_outputs_max = settings.batch
        params.n_threads = params.n_threads_batch = settings.threads or usable_cores()
        params.type_k = params.type_v = _CACHE[settings.cache]
        params.flash_attn_type = _FLASH_ATTENTION
        params.no_perf = True
        context = self._lib.llama_init_from_model(self._model, params)
        if context == self._ffi.NULL:
            raise LoadError("llama.cpp cannot open {}.{}".format(path.name, self._reason()))
        return context

    def _facts_of(self, version: str, settings: TextSettings) -> TextModelFacts:
        lib, vocabulary = self._lib, self._vocabulary
        count = int(lib.llama_vocab_n_tokens(vocabulary))
        begin = int(lib.llama_vocab_bos(vocabulary))
        adds = lib.llama_vocab_get_add_bos(vocabulary) and begin >= 0
        template = lib.llama_model_chat_template(self._model, self._ffi.NULL)
        text = "" if template == self._ffi.NULL else self._text(template)
        return TextModelFacts(
            version,
            count,
            int(lib.llama_n_ctx_seq(self._context)),
            settings.slots,
            settings.batch,
            begin=(begin,) if adds else (),
            ends=frozenset(one for one in range(count) if lib.llama_vocab_is_eog(vocabulary, one)),
            template=text,
            begin_text=self._name_of(begin),
            end_text=self._name_of(int(lib.llama_vocab_eos(vocabulary))),
        )

    def _name_of(self, token: int) -> str:
        if token < 0:
            return ""
        name = self._lib.llama_vocab_get_text(self._vocabulary, token)
        return "" if name == self._ffi.NULL else self._text(name)

    def _text(self, value: Any) -> str:
        found: bytes = self._ffi.string(value)
        return found.decode("utf-8", "replace")

    def _piece(self, token: int, special: bool) -> bytes:
        room = 64
        while True:
            text = self._ffi.new("char[]", room)
            count = self._lib.llama_token_to_piece(self._vocabulary, token, text, room, 0, special)
            if count >= 0:
                return bytes(self._ffi.buffer(text, count))
            room = -count

    def _fill(self, parts: Sequence[Part]) -> List[List[int]]:
        """Write the parts into the batch; return the rows of each whose scores are wanted."""
        batch, row = self._batch, 0
        rows: List[List[int]] = []
        for part in parts:
            first = len(part.tokens) - part.scores
            start = row
            for place, token in enumerate(part.tokens):
                batch.token[row] = token
                batch.pos[row] = self._held[part.slot] + place
                batch.n_seq_id[row] = 1
                batch.seq_id[row][0] = part.slot
                batch.logits[row] = place >= first
                row += 1
            rows.append(list(range(start + first, row)) if part.scores else [])
        batch.n_tokens = row
        return rows

    def _scores(self, rows: Sequence[Sequence[int]]) -> List[np.ndarray]:
        count = self._facts.vocabulary
        found = []
        for part in rows:
            scores = np.empty((len(part), count), np.float32)
            for place, row in enumerate(part):
                values = self._lib.llama_get_logits_ith(self._context, row)
                scores[place] = np.frombuffer(self._ffi.buffer(values, 4 * count), np.float32)
            found.append(scores)
        return found
