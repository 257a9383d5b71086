"""The methods of quantization: those that come with the studio, and those that plugins bring."""

from __future__ import annotations

from dataclasses import replace

from studio.api import Extension, Option, UsageError
from studio.plugin_host import PluginHost
from studio.quantization.step import METHODS


def methods(host: PluginHost) -> dict[str, str]:
    """Return titles of the methods that plugins add to the studio's own, by id.

    The method of language models is not among them: they have one, and nothing to choose.
    """
    return {
        capability.id: host.title(capability)
        for capability in host.all(Extension.TRANSFORM)
        if capability.id not in METHODS
        and capability.takes("onnx")
        and not capability.extra.get("edits")
    }


def check_method(name: str, host: PluginHost) -> None:
    """Raise UsageError when there is no such method."""
    known = (*METHODS, *methods(host))
    if name not in known:
        raise UsageError(f"Unknown method {name!r}; it is one of {', '.join(known)}.")


def is_language_method(name: str, host: PluginHost) -> bool:
    """Return whether a method is one of language models."""
    return any(one.id == name and one.takes("gguf") for one in host.all(Extension.TRANSFORM))


def with_methods(option: Option, host: PluginHost) -> Option:
    """Return the option ``method`` with the methods of plugins among its choices."""
    added = methods(host)
    return replace(
        option,
        choices=(*option.choices, *added),
        choice_titles=(*option.choice_titles, *added.values()),
    )
