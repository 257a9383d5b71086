"""The files of the sample ``sentences``: the model as ONNX next to its tokenizer."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy

from studio.api import InvalidData, Progress
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.samples.encoder.weights import SafetensorsWeights
from studio.samples.onnx_graph import GraphValue, OnnxGraph

OUTPUT = "last_hidden_state"
_TOKENS = ("batch", "tokens")
_HIDDEN = -10_000.0
"""Added to the scores of padding, so that its share is 0 in float32."""

_LAST_AXIS_OF_SCORES = 3
_FLOAT = 1


@dataclass(frozen=True, slots=True)
class BertSizes:
    """Sizes of a model, with the names of its ``config.json``."""

    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float


class BertGraph:
    """Writes the layers of one model."""

    def __init__(self, sizes: BertSizes, weights: SafetensorsWeights) -> None:
        """Begin with the inputs and the output."""
        self._width, self._layers = sizes.hidden_size, sizes.num_hidden_layers
        self._heads, self._epsilon = sizes.num_attention_heads, sizes.layer_norm_eps
        self._weights = weights
        names = ("input_ids", "attention_mask", "token_type_ids")
        self._graph = OnnxGraph(
            "sentence-encoder",
            [GraphValue(one, _TOKENS, whole=True) for one in names],
            [GraphValue(OUTPUT, (*_TOKENS, self._width))],
        )

    def model(self) -> bytes:
        """Return the file of the model.

        Raises:
            InvalidData: when weights are missing.
        """
        graph = self._graph
        self._numbers()
        hidden, mask = self._embeddings(), self._mask()
        for layer in range(self._layers):
            place = f"encoder.layer.{layer}"
            context = self._attention(place, hidden, mask)
            hidden = self._joined(f"{place}.attention.output", context, hidden)
            inner = self._gelu(place, self._product(f"{place}.intermediate.dense", hidden))
            hidden = self._joined(f"{place}.output", inner, hidden)
        graph.add("Identity", [hidden], OUTPUT)
        return graph.model()

    def _numbers(self) -> None:
        graph, size = self._graph, self._width // self._heads
        graph.constant("by heads", numpy.array([0, 0, self._heads, size]))
        graph.constant("together", numpy.array([0, 0, self._width]))
        graph.constant("scale", numpy.float32(1 / math.sqrt(size)).reshape(1))
        for name, value in (("one", 1.0), ("half", 0.5), ("root", math.sqrt(2)), ("far", _HIDDEN)):
            graph.constant(name, numpy.float32(value).reshape(1))

    def _embeddings(self) -> str:
        """Add words, positions and kinds of tokens."""
        graph, place = self._graph, "embeddings"
        words = graph.add(
            "Gather", [self._constant(f"{place}.word_embeddings"), "input_ids"], "words"
        )
        kinds = self._constant(f"{place}.token_type_embeddings")
        kinds = graph.add("Gather", [kinds, "token_type_ids"], "kinds")
        length = graph.add("Shape", ["input_ids"], "length", start=1, end=2)
        start, axis = graph.constant("first", numpy.array([0])), "first"
        places = self._constant(f"{place}.position_embeddings")
        places = graph.add("Slice", [places, start, length, axis], "places")
        both = graph.add("Add", [words, kinds], "words and kinds")
        return self._norm(f"{place}.LayerNorm", graph.add("Add", [both, places], "embedded"))

    def _mask(self) -> str:
        """Return what is added to scores: 0 for tokens, much below 0 for padding."""
        graph = self._graph
        kept = graph.add("Cast", ["attention_mask"], "kept", to=_FLOAT)
        axes = graph.constant("axes", numpy.array([1, 2]))
        kept = graph.add("Unsqueeze", [kept, axes], "kept of all heads")
        padding = graph.add("Sub", ["one", kept], "padding")
        return graph.add("Mul", [padding, "far"], "mask")

    def _attention(self, place: str, hidden: str, mask: str) -> str:
        graph, own = self._graph, f"{place}.attention.self"
        query = self._head(f"{own}.query", hidden, (0, 2, 1, 3))
        key = self._head(f"{own}.key", hidden, (0, 2, 3, 1))
        value = self._head(f"{own}.value", hidden, (0, 2, 1, 3))
        scores = graph.add("MatMul", [query, key], f"{own}.products")
        scores = graph.add("Mul", [scores, "scale"], f"{own}.scaled")
        scores = graph.add("Add", [scores, mask], f"{own}.masked")
        shares = graph.add("Softmax", [scores], f"{own}.shares", axis=_LAST_AXIS_OF_SCORES)
        found = graph.add("MatMul", [shares, value], f"{own}.sums")
        found = graph.add("Transpose", [found], f"{own}.turned", perm=(0, 2, 1, 3))
        return graph.add("Reshape", [found, "together"], f"{own}.context")

    def _head(self, name: str, hidden: str, order: tuple[int, ...]) -> str:
        found = self._product(name, hidden)
        found = self._graph.add("Reshape", [found, "by heads"], f"{name}.heads")
        return self._graph.add("Transpose", [found], f"{name}.turned", perm=order)

    def _product(self, name: str, given: str) -> str:
        """Return the product with weights, and the sum with the bias."""
        matrix = self._graph.constant(
            f"{name}.weight", numpy.ascontiguousarray(self._weights.array(f"{name}.weight").T)
        )
        found = self._graph.add("MatMul", [given, matrix], f"{name}.product")
        bias = self._constant(name, "bias")
        return self._graph.add("Add", [found, bias], f"{name}.sum")

    def _joined(self, name: str, given: str, before: str) -> str:
        """Return the layer's product with what was before it, normalised."""
        found = self._product(f"{name}.dense", given)
        found = self._graph.add("Add", [found, before], f"{name}.joined")
        return self._norm(f"{name}.LayerNorm", found)

    def _norm(self, name: str, given: str) -> str:
        inputs = [given, self._constant(name), self._constant(name, "bias")]
        return self._graph.add("LayerNormalization", inputs, f"{name}.out", epsilon=self._epsilon)

    def _gelu(self, place: str, given: str) -> str:
        graph, own = self._graph, f"{place}.gelu"
        inner = graph.add("Div", [given, "root"], f"{own}.scaled")
        inner = graph.add("Erf", [inner], f"{own}.erf")
        inner = graph.add("Add", [inner, "one"], f"{own}.shifted")
        found = graph.add("Mul", [given, inner], f"{own}.product")
        return graph.add("Mul", [found, "half"], f"{own}.out")

    def _constant(self, name: str, what: str = "weight") -> str:
        full = f"{name}.{what}"
        return self._graph.constant(full, self._weights.array(full))


MODEL, CONFIG, WEIGHTS = "model.onnx", "config.json", "model.safetensors"
PLACE = "encoder"


def make(folder: Path, progress: Progress) -> None:
    """Write ``encoder/model.onnx`` from the weights, which are then removed.

    Raises:
        InvalidData: when the configuration or the weights are not those of a BERT encoder.
    """
    progress.progress(0, 1, "Writing the model")
    place = folder / PLACE
    try:
        config = from_json(BertSizes, json.loads((place / CONFIG).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData(f"{CONFIG} is not that of a BERT encoder.", detail=str(error)) from None
    weights = SafetensorsWeights(place / WEIGHTS)
    (place / MODEL).write_bytes(BertGraph(config, weights).model())
    (place / WEIGHTS).unlink()
