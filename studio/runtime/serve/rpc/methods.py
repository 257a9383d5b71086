"""Which method of which service is answered how: data, like the routes of REST."""

from __future__ import annotations

from typing import Awaitable, Callable, Dict, Mapping, NamedTuple, Union

from ..engine.served_model import ServedModel
from ..http.message import HttpError
from ..rest import descriptions
from ..rest.model_repository import catalog_of, check_parameters, index
from ..service import Service
from . import messages
from .codec import Fields, Message

Document = Mapping[str, object]
Endpoint = Callable[[Service, Fields], Union[Document, Awaitable[Document]]]
"""Makes the document of the answer from the fields of the request; may raise HttpError."""

INFERENCE = "/inference.GRPCInferenceService/"
HEALTH = "/grpc.health.v1.Health/"
INFER = INFERENCE + "ModelInfer"
STREAM = INFERENCE + "ModelStreamInfer"

_TYPES = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "STRING", "BF16",
)  # fmt: skip
CONFIG_TYPES = {"TYPE_" + name: number for number, name in enumerate(_TYPES, 1)}
"""Data types of Triton's configuration and their numbers."""

_SERVING, _NOT_SERVING = 1, 2
_SERVICES = ("", INFERENCE.strip("/"))


class Method(NamedTuple):
    """One method that takes a message and gives one.

    Attributes:
        probe: Whether it reveals only that the server lives: answered without a token.
    """

    request: Message
    response: Message
    endpoint: Endpoint
    probe: bool = False


def _live(service: Service, fields: Fields) -> Document:
    return {"live": True}


def _ready(service: Service, fields: Fields) -> Document:
    return {"ready": service.is_ready}


def _model(service: Service, fields: Fields) -> ServedModel:
    return service.repository.find(fields.get("name", ""), fields.get("version", ""))


def _model_ready(service: Service, fields: Fields) -> Document:
    try:
        _model(service, fields)
    except HttpError:  # this protocol reports it in the answer
        return {"ready": False}
    return {"ready": service.ready}


def _server_metadata(service: Service, fields: Fields) -> Document:
    return descriptions.server()


def _model_metadata(service: Service, fields: Fields) -> Document:
    return descriptions.metadata(service, _model(service, fields))


def _model_config(service: Service, fields: Fields) -> Document:
    document = descriptions.config(_model(service, fields))
    for entry in document["input"] + document["output"]:
        entry["data_type"] = CONFIG_TYPES[entry["data_type"]]
    return {"config": document}


def _statistics(service: Service, fields: Fields) -> Document:
    name, version = fields.get("name", ""), fields.get("version", "")
    return descriptions.statistics(descriptions.counted_models(service, name, version))


def _index(service: Service, fields: Fields) -> Document:
    return {"models": index(service, fields.get("ready", False))}


async def _load(service: Service, fields: Fields) -> Document:
    catalog = catalog_of(service)
    check_parameters(fields.get("parameters", ()))
    await catalog.load(fields.get("model_name", ""))
    return {}


async def _unload(service: Service, fields: Fields) -> Document:
    await catalog_of(service).unload(fields.get("model_name", ""))
    return {}


def _health(service: Service, fields: Fields) -> Document:
    name = fields.get("service", "")
    if name not in _SERVICES:
        raise HttpError(404, "There is no service {!r} here.".format(name[:100]))
    return {"status": _SERVING if service.is_ready else _NOT_SERVING}


METHODS: Dict[str, Method] = {
    INFERENCE + "ServerLive": Method(messages.EMPTY, messages.LIVE, _live, probe=True),
    INFERENCE + "ServerReady": Method(messages.EMPTY, messages.READY, _ready, probe=True),
    INFERENCE + "ModelReady": Method(messages.NAMED, messages.READY, _model_ready),
    INFERENCE + "ServerMetadata": Method(
        messages.EMPTY, messages.SERVER_METADATA, _server_metadata
    ),
    INFERENCE + "ModelMetadata": Method(messages.NAMED, messages.MODEL_METADATA, _model_metadata),
    INFERENCE + "ModelConfig": Method(messages.NAMED, messages.MODEL_CONFIG, _model_config),
    INFERENCE + "ModelStatistics": Method(messages.NAMED, messages.STATISTICS, _statistics),
    INFERENCE + "RepositoryIndex": Method(messages.INDEX_REQUEST, messages.INDEX, _index),
    INFERENCE + "RepositoryModelLoad": Method(messages.REPOSITORY_REQUEST, messages.EMPTY, _load),
    INFERENCE + "RepositoryModelUnload": Method(
        messages.REPOSITORY_REQUEST, messages.EMPTY, _unload
    ),
    HEALTH + "Check": Method(messages.HEALTH_REQUEST, messages.HEALTH, _health, probe=True),
}
"""By the path of the request; inference, which is not answered with a document, is not here."""
