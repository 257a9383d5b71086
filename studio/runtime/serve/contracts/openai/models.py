"""The models of a server as clients of OpenAI know them."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from ...engine.served_model import ServedModel
from ...http.exchange import Exchange
from ...http.message import HttpError, Response
from ...rest.router import PathNames
from ...service import Service
from ...texts.refusal import Refusal
from .errors import BadField, error_response
from .fields import Document


def models(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the models, for clients of OpenAI and for those of TensorFlow Serving."""
    served = service.repository.all()
    described = {model.name: describe(service, model) for model in served}
    rows = {name: row for name, row in described.items() if row is not None}
    every = sorted(described)
    if not rows:
        return Response.of({"models": every})
    return Response.of({"object": "list", "data": [rows[n] for n in sorted(rows)], "models": every})


def describe(service: Service, model: ServedModel) -> Optional[Dict[str, object]]:
    """Return a model of texts as clients of OpenAI know it; None for any other model."""
    if model.generator is not None:
        most = model.generator.total
    elif model.encoder is not None:
        most = model.encoder.settings.most
    else:
        return None
    return {
        "id": model.name,
        "object": "model",
        "created": int(service.started),
        "owned_by": "edgewright",
        "max_model_len": most,
        "version": model.version,
        "digest": model.source.digest,
    }


def named_model(
    service: Service, document: Document, kind: str, fits: Callable[[ServedModel], bool]
) -> ServedModel:
    """Return the newest version of the model that a request names; the only one if it names none.

    Args:
        kind: Of the models that can answer it, for the sentence of an error.
        fits: Returns whether a model is of this kind.

    Raises:
        BadField: when the name is no text.
        Refusal: when there is no such model.
    """
    wanted = document.get("model") or ""
    if not isinstance(wanted, str):
        raise BadField("model", "model is a text.")
    names = sorted({model.name for model in service.repository.all() if fits(model)})
    if not wanted and len(names) == 1:
        wanted = names[0]
    if wanted not in names:
        sentence = "This server has no {} {!r}, but {}." if names else "This server has no {}."
        sentence = sentence.format(kind, wanted[:100], ", ".join(names))
        raise Refusal(error_response(404, sentence, "model", "model_not_found"))
    try:
        return service.repository.find(wanted)
    except HttpError as error:
        raise Refusal(error_response(error.status, error.sentence, "model")) from None
