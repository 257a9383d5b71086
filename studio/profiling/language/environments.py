"""Backends of language models with their environments, as a profile names them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from studio.api import Extension, Kind, Option, UsageError, validate
from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.profiling.backends import option_pairs
from studio.registry import ModelRef
from studio.runtime.backends.catalog import ServingBackend
from studio.runtime.generate.catalog import TEXT_BACKENDS, text_backend_of
from studio.runtime.shared.cache_types import CACHE_TYPES
from studio.runtime.shared.errors import LoadError

_OPTIONS = (
    Option("threads", Kind.INTEGER, default=0, minimum=0, maximum=1024),
    Option("cache", Kind.TEXT, default="f16", choices=CACHE_TYPES),
    Option("batch", Kind.INTEGER, default=512, minimum=1, maximum=65536),
)


@dataclass(frozen=True, slots=True)
class TextBackendChoice:
    """A backend of language models with values for its options.

    Attributes:
        text: As the user wrote it (``llama-cpp:threads=2``).
        python: Interpreter of its environment.
    """

    text: str
    backend: ServingBackend
    options: Mapping[str, JsonValue]
    python: str

    @property
    def memory_mb(self) -> int:
        """Address space that it may take: what the machine has."""
        return (os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) >> 20


def choose_text(
    host: PluginHost, texts: Sequence[str], common: Mapping[str, JsonValue]
) -> list[TextBackendChoice]:
    """Return the requested backends: ``NAME`` or ``NAME:OPTION=VALUE,OPTION=VALUE``.

    Args:
        common: Values for options that the text does not name.

    Raises:
        UsageError: when a name or an option is unknown.
        Unavailable: when its environment is not installed.
    """
    return [_choice(host, text, common) for text in dict.fromkeys(texts)]


def _choice(host: PluginHost, text: str, common: Mapping[str, JsonValue]) -> TextBackendChoice:
    name, _, rest = text.partition(":")
    backend = TEXT_BACKENDS.get(name.strip())
    if backend is None:
        raise UsageError(
            f"{name.strip()!r} is no backend of language models.",
            hint=f"There are {', '.join(TEXT_BACKENDS)}.",
        )
    values = validate(_OPTIONS, {**common, **option_pairs(text, rest)})
    return TextBackendChoice(text, backend, values, _python(host, backend.id))


def _python(host: PluginHost, backend: str) -> str:
    """Return the interpreter of a backend's environment; Unavailable where it is missing."""
    return str(host.get(Extension.TEXT_BACKEND, backend).python)


def own_backend(model: ModelRef) -> str:
    """Return the id of the backend for a variant's file.

    Raises:
        UsageError: when no backend runs such files.
    """
    try:
        return text_backend_of(Path(model.path)).id
    except LoadError as error:
        raise UsageError(str(error)) from error


def takes(backend: ServingBackend, model: ModelRef) -> bool:
    """Return whether a backend runs a variant's file."""
    return Path(model.path).suffix.lower() in backend.suffixes
