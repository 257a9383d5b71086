"""Language models in folders of onnxruntime-genai, run by ONNX Runtime on the processor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence

import numpy as np

from ...backends.failure import first_line
from ...shared.errors import LoadError
from ..text_model import (
    BackendFailed,
    ContextFull,
    Part,
    TextModelFacts,
    TextSettings,
)
from .plain_text import TextSplitter
from .room import context_of, require_cache, require_weights
from .tokenizer_files import (
    positive,
    read_marks,
    read_object,
    read_template,
    read_vocabulary,
    token_numbers,
)

_CONFIG = "genai_config.json"
_DECODER_KEYS = frozenset(
    (
        *("session_options", "filename", "head_size", "hidden_size", "inputs", "outputs"),
        *("num_attention_heads", "num_hidden_layers", "num_key_value_heads", "sliding_window"),
    )
)
_SESSION_KEYS = frozenset(
    (
        *("log_id", "log_severity_level", "provider_options", "intra_op_num_threads"),
        *("inter_op_num_threads", "enable_cpu_mem_arena", "enable_mem_pattern"),
    )
)
"""Others can name libraries that would be loaded, or files outside the folder."""

_TRIAL_TOKENS = 4


class _Stored(NamedTuple):
    """What a first run shows of a model: its scores, and a token in its cache."""

    vocabulary: int
    kind: str
    token_bytes: int


class OnnxGenaiModel:
    """A decoder with a generator for each slot, which share the weights.

    The cache of each slot is taken whole when the model is loaded, as its graph shares the buffer
    of the past with that of the present.
    """

    def __init__(self, path: Path, settings: TextSettings) -> None:
        self._folder, name = path.parent, path.parent.name
        config = _read_config(path)
        self._layers = positive(config["decoder"].get("num_hidden_layers"))
        context = context_of(name, positive(config.get("context_length")), settings.context)
        vocabulary = read_vocabulary(self._folder)
        require_weights(name, [path, *self._folder.glob(path.name + "*data")])
        self._genai = _library()
        self._model = self._load(name, settings)
        self._tokenizer = self._open_tokenizer(name)
        stored = self._try(name, config["decoder"])
        _require_kind(name, stored, settings)
        require_cache(name, stored.token_bytes, context, settings.slots)
        self._slots = [self._generator(name, context) for _ in range(settings.slots)]
        self._held = [0] * settings.slots
        self._splitter = TextSplitter(vocabulary, self._encode)
        self._pieces = vocabulary.pieces
        ends = token_numbers(config.get("eos_token_id"))
        self._facts = TextModelFacts(
            str(self._genai.__version__),
            stored.vocabulary,
            context,
            settings.slots,
            settings.batch,
            vocabulary.begin,
            ends | frozenset(int(one) for one in self._tokenizer.eos_token_ids),
            read_template(self._folder),
            0,
            *read_marks(self._folder),
        )

    @property
    def facts(self) -> TextModelFacts:
        """Its facts."""
        return self._facts

    def encode(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a text."""
        return self._splitter.tokens(text, special)

    def piece(self, token: int) -> bytes:
        """Return the bytes of a token."""
        return self._pieces.get(token, b"")

    def run(self, parts: Sequence[Part]) -> List[np.ndarray]:
        """Run tokens of several slots, one slot after the other."""
        for part in parts:
            if self._held[part.slot] + len(part.tokens) > self._facts.context:
                raise ContextFull()
        try:
            return [self._run(part) for part in parts]
        except (RuntimeError, ValueError) as error:
            for part in parts:
                self.keep(part.slot, 0)
            reason = first_line(error)
            raise BackendFailed("ONNX Runtime generate() failed: {}".format(reason)) from error

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens."""
        wanted = max(0, min(tokens, self._held[slot]))
        if wanted != self._held[slot]:
            try:
                self._slots[slot].rewind_to(wanted)
            except RuntimeError:
                # A window that slides, or layers with a state, have no past to go back to.
                self._slots[slot] = self._generator(self._folder.name, self._facts.context)
                wanted = 0
        self._held[slot] = wanted
        return wanted

    def close(self) -> None:
        """Free its memory."""
        self._slots.clear()
        del self._tokenizer, self._model

    def _encode(self, text: str) -> List[int]:
        try:
            return [int(one) for one in self._tokenizer.encode(text)]
        except RuntimeError as error:
            reason = first_line(error)
            raise BackendFailed("The text could not be split: {}".format(reason)) from error

    def _run(self, part: Part) -> np.ndarray:
        tokens = np.asarray(part.tokens, np.int32)
        generator = self._slots[part.slot]
        if len(tokens):
            generator.append_tokens(tokens)
        self._held[part.slot] += len(tokens)
        if not part.scores:
            return np.empty((0, self._facts.vocabulary), np.float32)
        rows = _rows(generator, part.scores)
        if len(rows) >= part.scores:
            return rows[-part.scores :]
        return self._one_by_one(part)

    def _one_by_one(self, part: Part) -> np.ndarray:
        """Return scores of a model that only has those of the last token in a run."""
        generator = self._slots[part.slot]
        first = self._held[part.slot] - part.scores
        generator.rewind_to(first)
        rows = []
        for token in list(part.tokens)[-part.scores :]:
            generator.append_tokens(np.asarray([token], np.int32))
            rows.append(_rows(generator, 1)[-1])
        return np.stack(rows)

    def _load(self, name: str, settings: TextSettings) -> Any:
        try:
            config = self._genai.Config(str(self._folder))
            config.clear_providers()
            if settings.threads:
                config.overlay(_threads(settings.threads))
            return self._genai.Model(config)
        except RuntimeError as error:
            raise LoadError(_refusal(name, error)) from error

    def _open_tokenizer(self, name: str) -> Any:
        try:
            tokenizer = self._genai.Tokenizer(self._model)
            tokenizer.update_options(add_special_tokens="false")
            return tokenizer
        except RuntimeError as error:
            raise LoadError(
                "The tokenizer of {} cannot be loaded: {}".format(name, first_line(error))
            ) from error

    def _try(self, name: str, decoder: Mapping[str, Any]) -> _Stored:
        """Run one token, to know the width of the scores and the type of the cache."""
        generator = self._generator(name, _TRIAL_TOKENS)
        try:
            generator.append_tokens(np.zeros(1, np.int32))
            vocabulary = int(generator.get_logits().shape[-1])
        except RuntimeError as error:
            raise LoadError(_refusal(name, error)) from error
        key = str(dict(decoder.get("outputs") or {}).get("present_key_names") or "present.%d.key")
        try:
            cache = generator.get_output(key.replace("%d", "0"))
        except RuntimeError:  # a first layer without attention, so without a cache
            return _Stored(vocabulary, "", 0)
        return _Stored(
            vocabulary, str(cache.dtype), 2 * self._layers * cache.nbytes // cache.shape[2]
        )

    def _generator(self, name: str, context: int) -> Any:
        try:
            params = self._genai.GeneratorParams(self._model)
            params.set_search_options(
                max_length=context, batch_size=1, num_beams=1, num_return_sequences=1
            )
            return self._genai.Generator(self._model, params)
        except RuntimeError as error:
            raise LoadError(_refusal(name, error)) from error


def _library() -> Any:
    """Import the backend so that it sends nothing and leaves no files in the home."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime_genai

    return onnxruntime_genai


def _read_config(path: Path) -> Dict[str, Any]:
    """Return the model's part of the configuration, of which only harmless keys are taken.

    Raises:
        LoadError: when it is missing or damaged, names another file, or something to be loaded.
    """
    folder = path.parent
    if not (folder / _CONFIG).is_file():
        raise LoadError("{} lacks {}.".format(folder.name, _CONFIG))
    model = read_object(folder / _CONFIG).get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(decoder, dict):
        raise LoadError("{} of {} describes no decoder of text.".format(_CONFIG, folder.name))
    others = sorted(set(model) & {"encoder", "embedding", "vision", "speech", "audio"})
    if others:
        sentence = "{} is more than a decoder of text: it has a part {!r}."
        raise LoadError(sentence.format(folder.name, others[0]))
    if decoder.get("filename") != path.name:
        raise LoadError(
            "{} of {} names another file than {}.".format(_CONFIG, folder.name, path.name)
        )
    options = decoder.get("session_options") or {}
    unknown = sorted(set(decoder) - _DECODER_KEYS) + sorted(set(options) - _SESSION_KEYS)
    if unknown:
        sentence = "{} of {} has a setting that is not taken: {}."
        raise LoadError(sentence.format(_CONFIG, folder.name, unknown[0][:60]))
    return model


def _require_kind(name: str, stored: _Stored, settings: TextSettings) -> None:
    """Refuse another cache than that of the graph.

    Raises:
        LoadError: naming what the graph has.
    """
    if settings.cache != "f16":
        sentence = "The graph of {} keeps its cache in {}, so a cache in {} is not offered."
        raise LoadError(sentence.format(name, stored.kind or "its own type", settings.cache))


def _rows(generator: Any, wanted: int) -> np.ndarray:
    """Return the scores of the last tokens, all that there are of several; float32."""
    found = generator.get_logits() if wanted == 1 else generator.get_output("logits")
    return np.asarray(found, np.float32).reshape(-1, found.shape[-1])


def _threads(count: int) -> str:
    options = {"session_options": {"intra_op_num_threads": count}}
    return json.dumps({"model": {"decoder": options}})


def _refusal(name: str, error: BaseException) -> str:
    return "ONNX Runtime generate() cannot load {}: {}".format(name, first_line(error))
