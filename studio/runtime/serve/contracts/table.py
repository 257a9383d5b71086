"""The rows of all contracts."""

from __future__ import annotations

from typing import Mapping, Tuple

from ..rest.router import TEXT_BYTES, Deferred, Route
from . import azure, invocations, kserve, multi_model, picture, predict, vertex

_GENERATIONS = ("/v2/models/{model}/", "/v2/models/{model}/versions/{version}/")


def _text(address: str, module: str, name: str) -> Route:
    return Route("POST", address, Deferred("..contracts." + module, name), body=TEXT_BYTES)


_TEXTS = (
    _text("/v1/chat/completions", "openai.endpoints", "chat"),
    _text("/v1/completions", "openai.endpoints", "completion"),
    _text("/v1/embeddings", "openai.embeddings", "embeddings"),
    *(
        _text(address + name, "generate", name)
        for address in _GENERATIONS
        for name in ("generate", "generate_stream")
    ),
    Route("POST", "/v1/audio/speech", Deferred("..contracts.openai.speech", "speak")),
)


def routes(environment: Mapping[str, str]) -> Tuple[Route, ...]:
    """Return the rows of all contracts; those of the environment come last and override none."""
    fixed = kserve.ROUTES + invocations.ROUTES + azure.ROUTES + picture.ROUTES + predict.ROUTES
    return fixed + _TEXTS + multi_model.ROUTES + vertex.routes(environment)
