"""The files of the sample: the model as ONNX beside its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import InvalidData, Progress
from studio.samples.encoder.graph import BertGraph
from studio.samples.encoder.weights import SafetensorsWeights

MODEL, CONFIG, WEIGHTS = "model.onnx", "config.json", "model.safetensors"
PLACE = "encoder"
_NUMBERS = ("hidden_size", "num_hidden_layers", "num_attention_heads", "layer_norm_eps")


def make(folder: Path, progress: Progress) -> None:
    """Write ``encoder/model.onnx`` from the weights, which are then removed.

    Raises:
        InvalidData: when the configuration or the weights are not those of a BERT encoder.
    """
    progress.progress(0, 1, "Writing the model")
    place = folder / PLACE
    try:
        content = json.loads((place / CONFIG).read_text("utf-8"))
        config = {name: content[name] for name in _NUMBERS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData(f"{CONFIG} is not that of a BERT encoder.", detail=str(error)) from None
    weights = SafetensorsWeights(place / WEIGHTS)
    (place / MODEL).write_bytes(BertGraph(config, weights).model())
    (place / WEIGHTS).unlink()
