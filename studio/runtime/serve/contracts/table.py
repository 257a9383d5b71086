"""The rows of all contracts."""

from __future__ import annotations

from typing import Mapping, Tuple

from ..rest.router import Route
from . import azure, invocations, kserve, multi_model, picture, predict, vertex
from .openai import endpoints as openai
from .openai import speech


def routes(environment: Mapping[str, str]) -> Tuple[Route, ...]:
    """Return the rows of all contracts; those of the environment come last and override none."""
    fixed = kserve.ROUTES + invocations.ROUTES + azure.ROUTES + picture.ROUTES + predict.ROUTES
    return fixed + openai.ROUTES + speech.ROUTES + multi_model.ROUTES + vertex.routes(environment)
