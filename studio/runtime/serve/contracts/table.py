"""The rows of all contracts."""

from __future__ import annotations

from typing import Mapping, Tuple

from ..rest.router import Route
from . import azure, generate, invocations, kserve, multi_model, picture, predict, vertex
from .openai import embeddings, speech
from .openai import endpoints as openai


def routes(environment: Mapping[str, str]) -> Tuple[Route, ...]:
    """Return the rows of all contracts; those of the environment come last and override none."""
    fixed = kserve.ROUTES + invocations.ROUTES + azure.ROUTES + picture.ROUTES + predict.ROUTES
    texts = openai.ROUTES + embeddings.ROUTES + generate.ROUTES + speech.ROUTES
    return fixed + texts + multi_model.ROUTES + vertex.routes(environment)
