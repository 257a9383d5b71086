"""The files of the sample ``sentences``: the model as ONNX next to its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

from studio.api import InvalidData, Progress
from studio.documents.dataclass_json import from_json
from studio.samples.encoder.graph import BertGraph, BertSizes
from studio.samples.encoder.weights import SafetensorsWeights

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
