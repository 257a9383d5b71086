"""Answers with a meaning: classes, boxes, texts, by the ``outputs.toml`` of a bundle."""

from __future__ import annotations

import json
from typing import Dict, List, Optional, Sequence

import numpy as np

from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import JSON, HttpError, Response
from ..protocol.tensor_data import bad
from ..rest.router import PathNames, Route
from ..service import Service
from .answer_picture import drawn
from .call import Contract, run_request
from .question import Question

_NOT_KEPT = "Cache-Control: no-store\r\n"
"""A drawing is the caller's: no cache on its way keeps it."""


def answer(
    arrays: Sequence[np.ndarray], model: ServedModel, question: Optional[Question]
) -> Response:
    """Return the meaning of the outputs of each instance, or a picture with it.

    Raises:
        HttpError: 400, when they do not have the form of ``outputs.toml``.
    """
    decoder = model.source.decoder
    if decoder is None:
        raise _no_meaning(model)
    named = dict(zip(model.outputs, arrays))
    picture = question.picture if question is not None else None
    size = model.picture_size
    if size is None and picture is not None and picture.placement is not None:
        size = picture.placement.height, picture.placement.width
    try:
        count = None if question is None else question.instances
        found = [decoder.decode(one, size, picture) for one in _instances(named, count)]
    except ValueError as error:
        raise bad("{}", str(error)) from None
    if question is not None and question.drawing and picture is not None:
        content = drawn(found[0], decoder, picture, question.drawing)
        return Response(200, content, question.drawing, model.headers + _NOT_KEPT)
    document: Dict[str, object] = {
        "model_name": model.name,
        "model_version": model.version,
        "task": decoder.settings.task,
        "predictions": found,
    }
    if picture is not None:
        document["picture"] = {"width": picture.width, "height": picture.height}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Response(200, text.encode("utf-8"), JSON, model.headers)


def _instances(
    outputs: Dict[str, np.ndarray], wanted: Optional[int]
) -> List[Dict[str, np.ndarray]]:
    """Return the outputs of each sample of a batch; all outputs where they have no such axis.

    Args:
        wanted: Number of samples, where it is known: rows of one sample may be boxes, too.
    """
    if wanted == 1:
        return [outputs]
    counts = {len(array) if array.ndim else 0 for array in outputs.values()}
    if len(counts) != 1 or counts <= {0, 1}:
        return [outputs]
    (count,) = counts
    return [{name: array[at : at + 1] for name, array in outputs.items()} for at in range(count)]


def _no_meaning(model: ServedModel) -> HttpError:
    sentence = "The bundle of the model {!r} has no outputs.toml: use /infer."
    return HttpError(404, sentence.format(model.name))


CONTRACT = Contract(answer=answer, draws=True)


def predict(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run a model on a picture or on arrays, and answer with the meaning of its outputs."""

    def find() -> ServedModel:
        model = service.repository.find(names.model, names.version)
        if model.source.decoder is None:
            raise _no_meaning(model)
        return model

    return run_request(service, exchange, find, CONTRACT)


_MODEL = "/v2/models/{model}"

ROUTES = (
    Route("POST", _MODEL + "/predict", predict, body=None),
    Route("POST", _MODEL + "/versions/{version}/predict", predict, body=None),
)
