"""Language models in folders of OpenVINO GenAI, run by OpenVINO on the processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

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
from .openvino_graph import compute_last_scores_only, require_decoder, token_bytes
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

_CACHE = {"f16": "f16", "int8": "u8", "int4": "u4"}
_BITS = {"f16": 16, "int8": 8, "int4": 4}
_FILES = ("openvino_tokenizer.xml", "openvino_tokenizer.bin")


class OpenVinoGenaiModel:
    """A stateful decoder with a request for each slot, which share the weights.

    Float operators compute in float32, as those of other models served by OpenVINO. The cache is
    the state of a request, and grows with its tokens.
    """

    def __init__(self, path: Path, settings: TextSettings) -> None:
        self._folder, name = path.parent, path.parent.name
        vocabulary = read_vocabulary(self._folder)
        missing = [one for one in _FILES if not (self._folder / one).is_file()]
        if missing:
            raise LoadError("{} lacks a tokenizer: {} is missing.".format(name, missing[0]))
        config = read_object(self._folder / "config.json")
        trained = positive(config.get("max_position_embeddings"))
        context = context_of(name, trained, settings.context)
        require_weights(name, [path.with_suffix(".bin")])
        import openvino
        import openvino_genai

        self._tensor, self._type = openvino.Tensor, openvino.Type
        model = _read(openvino, path)
        require_decoder(model, name, settings.cache)
        require_cache(name, token_bytes(model, _BITS[settings.cache]), context, settings.slots)
        self._sliced = compute_last_scores_only(model)
        self._compiled = _compile(openvino, model, name, settings)
        self._tokenizer = _open_tokenizer(openvino_genai, self._folder)
        self._slots = [self._compiled.create_infer_request() for _ in range(settings.slots)]
        self._held = [0] * settings.slots
        self._exact = settings.cache == "f16"
        self._names = {one for port in self._compiled.inputs for one in port.get_names()}
        self._splitter = TextSplitter(vocabulary, self._encode)
        self._pieces = vocabulary.pieces
        self._facts = TextModelFacts(
            str(openvino_genai.__version__).split("-")[0],
            self._width(name),
            context,
            settings.slots,
            settings.batch,
            vocabulary.begin,
            self._ends(config),
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
        except RuntimeError as error:
            for part in parts:
                self._empty(part.slot)
            raise BackendFailed("OpenVINO failed: {}".format(first_line(error))) from error

    def keep(self, slot: int, tokens: int) -> int:
        """Drop what a slot holds after its first tokens; a cache in fewer bits is emptied.

        To read and write such a cache rounds it again, and its scores would differ.
        """
        wanted = max(0, min(tokens, self._held[slot]))
        if wanted == self._held[slot]:
            return wanted
        if not wanted or not self._exact or not self._shorten(slot, wanted):
            self._empty(slot)
            wanted = 0
        self._held[slot] = wanted
        return wanted

    def close(self) -> None:
        """Free its memory."""
        self._slots.clear()
        del self._tokenizer, self._compiled

    def _encode(self, text: str) -> List[int]:
        try:
            found = self._tokenizer.encode(text, add_special_tokens=False)
        except RuntimeError as error:
            reason = first_line(error)
            raise BackendFailed("The text could not be split: {}".format(reason)) from error
        return [int(one) for one in found.input_ids.data[0]]

    def _run(self, part: Part) -> np.ndarray:
        empty = np.empty((0, self._facts.vocabulary), np.float32)
        if not len(part.tokens):
            return empty
        found = self._infer(part.slot, part.tokens, part.scores)
        return found[-part.scores :] if part.scores else empty

    def _infer(self, slot: int, tokens: Sequence[int], scores: int) -> np.ndarray:
        """Run tokens of a slot; scores are those of the last tokens, and of more if not sliced."""
        request, count, held = self._slots[slot], len(tokens), self._held[slot]
        feeds: Dict[str, np.ndarray] = {
            "input_ids": np.asarray(tokens, np.int64)[None],
            "attention_mask": np.ones((1, held + count), np.int64),
            "position_ids": np.arange(held, held + count, dtype=np.int64)[None],
            "beam_idx": np.zeros(1, np.int32),
        }
        if self._sliced:
            feeds[self._sliced] = np.asarray([count - max(1, scores)], np.int64)
        for name, array in feeds.items():
            if name in self._names:
                request.set_tensor(name, self._tensor(array))
        request.infer()
        self._held[slot] = held + count
        return np.array(request.get_tensor("logits").data[0], np.float32)

    def _shorten(self, slot: int, wanted: int) -> bool:
        """Cut the state to its first tokens; False where a layer's state has no such axis."""
        held = self._held[slot]
        states = self._slots[slot].query_state()
        values = [one.state for one in states]
        if any(len(one.shape) != 4 or one.shape[2] != held for one in values):
            return False
        for state, value in zip(states, values):
            state.state = self._tensor(np.ascontiguousarray(value.data[:, :, :wanted]))
        return True

    def _empty(self, slot: int) -> None:
        self._slots[slot].reset_state()
        self._held[slot] = 0

    def _width(self, name: str) -> int:
        """Run one token, which shows whether the model can be run at all."""
        try:
            return int(self._infer(0, [0], 1).shape[-1])
        except RuntimeError as error:
            raise LoadError("OpenVINO cannot run {}: {}".format(name, first_line(error))) from error
        finally:
            self._empty(0)

    def _ends(self, config: Mapping[str, Any]) -> "frozenset[int]":
        generation = read_object(self._folder / "generation_config.json")
        found = token_numbers(generation.get("eos_token_id"))
        found |= token_numbers(config.get("eos_token_id"))
        return found | token_numbers(int(self._tokenizer.get_eos_token_id()))


def _read(openvino: Any, path: Path) -> Any:
    try:
        return openvino.Core().read_model(str(path))
    except RuntimeError as error:
        name, reason = path.parent.name, first_line(error)
        raise LoadError("OpenVINO cannot load {}: {}".format(name, reason)) from error


def _compile(openvino: Any, model: Any, name: str, settings: TextSettings) -> Any:
    properties: Dict[str, object] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
        "KV_CACHE_PRECISION": _CACHE[settings.cache],
        # Several servers share a board: each would pin its threads to the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    if settings.threads:
        properties["INFERENCE_NUM_THREADS"] = settings.threads
    try:
        return openvino.Core().compile_model(model, "CPU", properties)
    except RuntimeError as error:
        raise LoadError("OpenVINO cannot load {}: {}".format(name, first_line(error))) from error


def _open_tokenizer(openvino_genai: Any, folder: Path) -> Any:
    try:
        return openvino_genai.Tokenizer(str(folder))
    except RuntimeError as error:
        sentence = "The tokenizer of {} cannot be loaded: {}"
        raise LoadError(sentence.format(folder.name, first_line(error))) from error
