"""Requests for embeddings, as they are understood."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

from ....encoder.text_encoder import TextEncoder, TextTooLong
from .errors import BadField
from .fields import Document, Fields

MOST_INPUTS = 2048
"""Texts of a request, as OpenAI has it."""
MOST_TOKENS = 300_000
"""Tokens of all its texts together, as OpenAI has it."""

_FLOAT, _BASE64 = "float", "base64"
_WHOLE = -1
"""As many tokens as the model takes."""

Input = Union[str, Sequence[int]]


class EmbeddingQuestion(NamedTuple):
    """Texts that want their vectors.

    Attributes:
        texts: Tokens of each.
        dimensions: Numbers of each vector.
        base64: Vectors are bytes of float32, little-endian, in base64.
        ignored: Names of fields that are not known here.
    """

    texts: List[List[int]]
    dimensions: int
    base64: bool
    ignored: Tuple[str, ...]

    @property
    def tokens(self) -> int:
        """Tokens of all texts."""
        return sum(map(len, self.texts))


def read_embedding(document: Document, encoder: TextEncoder) -> EmbeddingQuestion:
    """Return what a body asks for.

    Raises:
        BadField: when a field cannot be used.
    """
    fields = Fields(document)
    settings = encoder.settings
    kind = fields.text("encoding_format", _FLOAT)
    if kind not in (_FLOAT, _BASE64):
        raise BadField("encoding_format", "encoding_format is float or base64.")
    dimensions = fields.whole("dimensions", 1, 1 << 20, settings.width) or settings.width
    if not settings.admits(dimensions):
        raise BadField("dimensions", _other_length(settings.width, settings.dimensions))
    most = fields.whole("truncate_prompt_tokens", _WHOLE, settings.most)
    if most is not None:
        most = settings.most if most == _WHOLE else max(most, 1)
    texts = _texts(_inputs(fields.get("input")), most, encoder)
    for name in ("model", "user"):
        fields.get(name)
    return EmbeddingQuestion(texts, dimensions, kind == _BASE64, fields.ignored())


def _inputs(found: object) -> List[Input]:
    """Return the texts, or the tokens of each."""
    sentence = "input is a text, a list of texts, a list of tokens, or a list of such lists."
    if isinstance(found, str):
        return [found]
    if not isinstance(found, list) or not found:
        raise BadField("input", sentence)
    if all(type(one) is int for one in found):
        return [found]
    if len(found) > MOST_INPUTS:
        raise BadField("input", "input has at most {} texts.".format(MOST_INPUTS))
    texts = all(isinstance(one, str) for one in found)
    if not texts and not all(isinstance(one, list) for one in found):
        raise BadField("input", sentence)
    return found


def _texts(inputs: Sequence[Input], most: Optional[int], encoder: TextEncoder) -> List[List[int]]:
    found: List[List[int]] = []
    total = 0
    for place, one in enumerate(inputs):
        tokens = _tokens(one, most, encoder, place if len(inputs) > 1 else None)
        total += len(tokens)
        if total > MOST_TOKENS:
            sentence = "The texts of a request have at most {} tokens together."
            raise BadField("input", sentence.format(MOST_TOKENS))
        found.append(tokens)
    return found


def _tokens(
    one: Input, most: Optional[int], encoder: TextEncoder, place: Optional[int]
) -> List[int]:
    name = "input" if place is None else "input[{}]".format(place)
    if not one:
        raise BadField(name, "{} is empty.".format(name))
    try:
        if isinstance(one, str):
            return encoder.tokens_of(one, most)
        given = list(one)
        if not all(type(token) is int and 0 <= token < encoder.vocabulary for token in given):
            sentence = "The tokens of {} are whole numbers below {}."
            raise BadField(name, sentence.format(name, encoder.vocabulary))
        given = given if most is None else given[:most]
        encoder.check_length(len(given))
    except TextTooLong as error:
        hint = "Set truncate_prompt_tokens to -1 to have it cut."
        sentence = "{}: {} {}".format(name, error, hint)
        raise BadField(name, sentence, "context_length_exceeded") from None
    return given


def _other_length(width: int, allowed: Sequence[int]) -> str:
    if not allowed:
        return "dimensions is {}: the model was not made for shorter vectors.".format(width)
    if 0 in allowed:
        return "dimensions is from 1 to {}.".format(width)
    return "dimensions is one of {}.".format(", ".join(map(str, sorted({*allowed, width}))))
