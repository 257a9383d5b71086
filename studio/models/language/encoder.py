"""The encoder of texts in a bundle: tokenizer, pooling and lengths, from the files of a model.

Read is the layout of sentence-transformers: ``modules.json`` names the steps after the model,
``1_Pooling/config.json`` the pooling, ``sentence_bert_config.json`` the length. Without them the
tokens' mean is taken, which is noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy

from studio.api import Array, Feeds, Graph, InvalidModel
from studio.lazy_dataclass import dataclass
from studio.models.language.encoder_files import TOKENIZER, Settings, module_settings, settings_of
from studio.runtime.encoder.settings import (
    CLS,
    INPUTS,
    LAST,
    MAX,
    MEAN,
    MEAN_SQRT,
    NONE,
    POOLINGS,
    TOKENS,
    EncoderSettings,
)
from studio.runtime.encoder.text_encoder import EncoderInput, TextEncoder
from studio.runtime.encoder.tokenizer import needs_package
from studio.runtime.shared.documents import read_record
from studio.runtime.shared.errors import LoadError

PACKAGE = {"tokenizers": ">=0.15"}
"""What a target needs for a tokenizer that is no WordPiece."""

_MODES = {
    "pooling_mode_cls_token": CLS,
    "pooling_mode_max_tokens": MAX,
    "pooling_mode_mean_tokens": MEAN,
    "pooling_mode_mean_sqrt_len_tokens": MEAN_SQRT,
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": LAST,
}
_WORDS = {"cls": CLS, "max": MAX, "mean": MEAN, "mean_sqrt_len_tokens": MEAN_SQRT}
_WORDS["lasttoken"] = LAST
_NAMED = ("token_embeddings", "last_hidden_state", "sentence_embedding")
_POOLING = "Pooling"
_USUAL_LENGTH = 512
_LARGEST = 1 << 20
_PER_TOKEN = 3
_TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "A pump that runs dry wears out its seals.",
    "Temperature in hall 3: 21.5 degrees at 14:05.",
    "Yes.",
)


@dataclass(frozen=True, slots=True)
class EncoderContent:
    """An encoder of texts, as a bundle gets it.

    Attributes:
        tokenizer: File to take along.
        settings: For the manifest; its width is 0 until the model was run.
        feeds: Inputs of some sentences.
        foreign: The target needs a package for the tokenizer.
        notes: Messages for the user.
    """

    tokenizer: Path
    settings: EncoderSettings
    feeds: Sequence[Feeds]
    foreign: bool
    notes: tuple[str, ...] = ()

    def measured(self, outputs: Mapping[str, Array]) -> EncoderContent:
        """Return it with the form of its output, as the model gave it.

        Raises:
            InvalidModel: when the output holds no vectors.
        """
        array = outputs[self.settings.output]
        if array.ndim not in (2, _PER_TOKEN) or array.dtype.kind != "f":
            raise InvalidModel(f"The output {self.settings.output!r} holds no vectors of texts.")
        poolings = self.settings.pooling if array.ndim == _PER_TOKEN else (NONE,)
        notes = self.notes
        if not poolings:
            poolings = (MEAN,)
            notes += ("It has no modules.json: the vector of a text is the mean of its tokens.",)
        width = array.shape[-1] * len(poolings)
        lengths = tuple(one for one in self.settings.dimensions if one <= width)
        settings = self.settings._replace(pooling=poolings, width=width, dimensions=lengths)
        return replace(self, settings=settings, notes=notes)


def encoder_of(folder: Path, graph: Graph, output: str = "") -> EncoderContent | str | None:
    """Return the encoder in a folder, why there cannot be one, or None for another model.

    Args:
        output: The output to read; empty: the one that is usual.
    """
    path = folder / TOKENIZER
    kinds = {value.name: value.type for value in graph.inputs}
    if not path.is_file() or TOKENS not in kinds or not set(kinds) <= set(INPUTS):
        return None
    try:
        steps = module_settings(folder)
        settings = EncoderSettings(
            TOKENIZER,
            output or _output(graph),
            _poolings(steps),
            "Normalize" in steps,
            _length(folder),
            0,
            _dimensions(folder),
        )
        foreign = needs_package(path)
        feeds = [] if foreign else _feeds(settings, folder, graph)
    except (LoadError, ValueError) as error:
        return f"It is not served as an encoder of texts. {error}"
    return EncoderContent(path, settings, feeds, foreign)


def _feeds(settings: EncoderSettings, folder: Path, graph: Graph) -> list[Feeds]:
    """Return the inputs of some sentences."""
    inputs = {}
    for value in graph.inputs:
        kind = value.type
        if kind is None or kind.shape is None:
            raise ValueError(f"The shape of its input {value.name!r} is not known.")
        shape = tuple(one if isinstance(one, int) else -1 for one in kind.shape)
        inputs[value.name] = EncoderInput(numpy.dtype(kind.dtype), shape)
    encoder = TextEncoder(settings, folder, inputs)
    texts = [encoder.tokens_of(text, settings.most) for text in _TEXTS]
    return [run.feeds for text in texts for run in encoder.runs([text])]


def _output(graph: Graph) -> str:
    names = [value.name for value in graph.outputs]
    return next((name for name in _NAMED if name in names), names[0] if names else "")


def _poolings(steps: Mapping[str, Settings]) -> tuple[str, ...]:
    """Return the pooling of a module; none where no module is named.

    Raises:
        ValueError: for a module or a pooling that is not known.
    """
    others = sorted(set(steps) - {_POOLING, "Transformer", "Normalize"})
    if others:
        raise ValueError(f"Its module {others[0][:40]!r} is not known.")
    config = steps.get(_POOLING, {})
    word = read_record(_Pooling, config).pooling_mode
    words = [word] if isinstance(word, str) else word
    if isinstance(words, list):
        found = [_WORDS.get(str(one), str(one)) for one in words]
    else:
        found = [mode for key, mode in _MODES.items() if config.get(key) is True]
    unknown = [one for one in found if one not in POOLINGS]
    if unknown:
        raise ValueError(f"Its pooling {unknown[0][:40]!r} is not known.")
    return tuple(found)


def _length(folder: Path) -> int:
    """Return the most tokens of a text."""
    sentence = read_record(_Lengths, settings_of(folder / "sentence_bert_config.json"))
    if _is_count(sentence.max_seq_length):
        return int(str(sentence.max_seq_length))
    config = read_record(_Lengths, settings_of(folder / "config.json"))
    tokenizer = read_record(_Lengths, settings_of(folder / "tokenizer_config.json"))
    places = config.max_position_embeddings
    if _is_count(places) and "roberta" in str(config.model_type):
        places = int(str(places)) - 2  # the first two places are for padding
    found = [int(str(one)) for one in (tokenizer.model_max_length, places) if _is_count(one)]
    return min(found, default=_USUAL_LENGTH)


def _dimensions(folder: Path) -> tuple[int, ...]:
    """Return the shorter lengths that a model was trained for (Kusupati et al. 2022)."""
    config = read_record(_Lengths, settings_of(folder / "config.json"))
    listed = config.matryoshka_dimensions
    if isinstance(listed, list):
        return tuple(one for one in listed if _is_count(one))
    return (0,) if config.is_matryoshka is True else ()


def _is_count(value: object) -> bool:
    return type(value) is int and 0 < value < _LARGEST


class _Pooling(NamedTuple):
    """The pooling in its newer form."""

    pooling_mode: object = None


class _Lengths(NamedTuple):
    """Lengths in several files of settings."""

    max_seq_length: object = None
    model_max_length: object = None
    max_position_embeddings: object = None
    model_type: object = None
    matryoshka_dimensions: object = None
    is_matryoshka: object = None
