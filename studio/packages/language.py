"""The content of a bundle of a language model: settings of its generation, prompts to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy

from studio.api import Model, UsageError
from studio.documents.dataclass_json import JsonValue
from studio.models.language.folder import companions
from studio.packages.golden import GoldenSample
from studio.packages.step import PackageOptions
from studio.runtime.generate.served_text import INPUT
from studio.runtime.shared.cache_types import CACHE_TYPES

USUAL_CONTEXT, USUAL_SLOTS = 4096, 4

_PROMPTS = ("The capital of France is", "1, 2, 3, 4,")


def generation_of(options: PackageOptions, model: Model) -> dict[str, JsonValue]:
    """Return the settings of generation for the manifest.

    Raises:
        UsageError: when the context is longer than the model was made for.
    """
    made = model.language.context if model.language is not None else None
    context = options.context or min(USUAL_CONTEXT, made or USUAL_CONTEXT)
    if made is not None and context > made:
        raise UsageError(
            f"{options.model.model_name} was made for {made} tokens of context, not for {context}.",
            hint=f"Choose a context of at most {made}.",
        )
    slots = options.slots or USUAL_SLOTS
    return {"context": context, "slots": slots, "cache": options.cache or CACHE_TYPES[0]}


def prompts() -> list[GoldenSample]:
    """Return prompts that a target answers before it serves; any answer will do.

    Which token follows is a close call now and then, and falls otherwise on other processors.
    """
    return [GoldenSample({INPUT: numpy.array([one])}, {}) for one in _PROMPTS]


def files_of(files: Sequence[Path], path: Path) -> tuple[Path, ...]:
    """Return a model's files with those that its tokenizer and its settings need."""
    return (*files, *(one for one in companions(path) if one not in files))


def settings_of(manifest: Mapping[str, JsonValue]) -> tuple[int, int, str] | None:
    """Return context, slots and precision of the cache in a manifest; None for other models."""
    found = manifest.get("generation")
    if not isinstance(found, dict):
        return None
    context, slots, cache = (found.get(key) for key in ("context", "slots", "cache"))
    whole = isinstance(context, int) and isinstance(slots, int)
    return (context, slots, str(cache)) if whole else None  # type: ignore[return-value]
