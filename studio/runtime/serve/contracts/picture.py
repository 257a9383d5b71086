"""Edgewright's own address for pictures: a camera or curl sends one, the answer labels it."""

from __future__ import annotations

import json
from typing import Optional, Sequence

import numpy as np

from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import JSON, Response
from ..images.answer import classified
from ..protocol.tensor_data import to_json
from ..rest.router import PathNames, Route
from ..service import Service
from .call import Contract, run_request
from .question import Question


def answer(
    arrays: Sequence[np.ndarray], model: ServedModel, _question: Optional[Question]
) -> Response:
    """Return the outputs as in the Open Inference Protocol, and the best labels of a classifier."""
    named = dict(zip(model.outputs, arrays))
    outputs = [
        '{{"name":{},"datatype":"{}","shape":{},"data":{}}}'.format(
            json.dumps(name),
            model.outputs[name].kind.name,
            json.dumps(list(array.shape)),
            to_json(array, model.outputs[name]),
        )
        for name, array in named.items()
    ]
    best = classified(named, model.outputs, model.source.labels)
    text = '{{"model_name":{},"model_version":{},"outputs":[{}],"labels":{}}}'.format(
        json.dumps(model.name),
        json.dumps(model.version),
        ",".join(outputs),
        json.dumps(best[0] if best else None),
    )
    return Response(200, text.encode("utf-8"), JSON, model.headers)


CONTRACT = Contract(picture=True, answer=answer)


def infer(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run a model on a picture."""
    return run_request(
        service,
        exchange,
        lambda: service.repository.find(names.model, names.version),
        CONTRACT,
    )


_MODEL = "/edgewright/models/{model}"

ROUTES = (
    Route("POST", _MODEL + "/image", infer, body=None),
    Route("POST", _MODEL + "/versions/{version}/image", infer, body=None),
)
