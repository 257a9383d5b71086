"""The memory of a language model on a target, before anything is sent."""

from __future__ import annotations

import math
from dataclasses import asdict

from studio.api import LanguageModel
from studio.deployment.bundle_facts import GenerationFacts, facts_of
from studio.models.language.memory import MemorySettings, largest_context, memory_need
from studio.packages import Bundle

LANGUAGE_SERVER_MB = {"llama-cpp": 40, "onnxruntime-genai": 60, "openvino-genai": 160}
"""Supervisor and server, without the backend's own share."""

_LEAST = 256
"""Tokens of the shortest context that is of use."""


def language_bytes(bundle: Bundle, files: int) -> int:
    """Return the bytes that a language model takes with full slots; 0 where that is unknown.

    Args:
        files: Bytes of its files.
    """
    generation = facts_of(bundle).generation
    if not generation.slots:
        return 0
    found = memory_need(
        _model(generation),
        files,
        bundle.backend.id,
        generation.context,
        _settings(generation),
        generation.repacked,
    )
    return found.total if found is not None else 0


def language_server_mb(bundle: Bundle) -> int:
    """Return the megabytes of the server of a language model with full slots; 0 if unknown."""
    model = language_bytes(bundle, served_bytes(bundle))
    return LANGUAGE_SERVER_MB[bundle.backend.id] + math.ceil(model / 1e6) if model else 0


def served_bytes(bundle: Bundle) -> int:
    """Return the bytes of what a server loads: all files but the golden samples."""
    return sum(file.size for file in bundle.files if not file.name.startswith("golden/"))


def fitting(bundle: Bundle, files: int, megabytes: float, sessions: int) -> str:
    """Return which settings would fit in some memory; empty for a model that generates nothing.

    Args:
        sessions: Number of times that the model is loaded.
    """
    generation = facts_of(bundle).generation
    if not generation.slots:
        return ""
    room = int(megabytes * 1e6) // sessions
    for slots in dict.fromkeys((generation.slots, 1)):
        settings = _settings(generation, slots)
        found = largest_context(
            _model(generation), files, bundle.backend.id, room, settings, generation.repacked
        )
        if found >= _LEAST:
            context = min(found - found % _LEAST, generation.context)
            return f"It would fit with --context {context} --slots {slots}. A smaller variant may"
    return ""


def _model(generation: GenerationFacts) -> LanguageModel:
    return LanguageModel("", **asdict(generation.model))


def _settings(generation: GenerationFacts, slots: int = 0) -> MemorySettings:
    return MemorySettings(slots or generation.slots, generation.cache)
