"""What can be done with a model of a format, and in one sentence why something cannot."""

from __future__ import annotations

from studio.api import Extension
from studio.conversion.targets import LANGUAGE_SOURCES, SOURCE
from studio.jobs import AnyStep, Use
from studio.packages.backends import SERVED, SERVED_LANGUAGE
from studio.plugin_host import PluginHost
from studio.registry import VariantRecord

HINT = "Open the original ONNX model."
LANGUAGE_HINT = "Run it with the program that it was made for, such as llama.cpp."

_SENTENCES = {
    Use.RUN: "No installed backend runs {0} models.",
    Use.QUANTIZE: "{0} models cannot be quantized.",
    Use.EDIT: "{0} models cannot be edited.",
    Use.CONVERT: "{0} models are not converted to other formats.",
    Use.SERVE: "Targets serve ONNX, TFLite and OpenVINO models, not {0} models.",
    Use.COVER: "The compatibility check covers ONNX Runtime, which loads no {0} models.",
}


_LANGUAGE = frozenset({Use.RUN, Use.QUANTIZE})
"""Uses for which a model that writes text needs more than its graph."""

_SHRINK = ("quantize", "gguf")
"""The step that makes language models smaller, and the format that it takes."""

_NO_LANGUAGE = (
    "Language models are opened, drawn, compared, evaluated, profiled and served, quantized in "
    "GGUF, and converted from GGUF and safetensors. This is not there yet for them."
)


def why_not(step: AnyStep, form: str, host: PluginHost, language: bool = False) -> str:
    """Return why a step cannot be done with a model of a format; empty when it can.

    Args:
        form: The format's id.
        language: Whether the model writes text, token by token.
    """
    use = step.use or Use.READ
    if language and step.language:
        return ""
    if language and use in _LANGUAGE and (step.name, form) != _SHRINK:
        return _NO_LANGUAGE
    if use is Use.READ or _can(use, form, host, language):
        return ""
    titles = {one.id: one.title for one in host.all(Extension.FORMAT)}
    return _SENTENCES[use].format(titles.get(form, form))


def why_not_of(step: AnyStep, variant: VariantRecord | None, host: PluginHost) -> str:
    """Return why a step cannot be done with a variant; empty when it can, or without one."""
    return why_not(step, variant.format, host, is_language(variant)) if variant else ""


def is_language(variant: VariantRecord) -> bool:
    """Return whether a variant is a model that writes text."""
    return variant.summary.get("language") is not None


def _can(use: Use, form: str, host: PluginHost, language: bool) -> bool:
    if use is Use.SERVE:
        return form in (SERVED_LANGUAGE if language else SERVED)
    if use is Use.COVER:
        return form == "onnx"
    if use is Use.RUN:
        return any(one.takes(form) for one in host.all(Extension.BACKEND))
    if use is Use.CONVERT:
        return form in LANGUAGE_SOURCES if language else form == SOURCE
    edits = use is Use.EDIT
    transforms = host.all(Extension.TRANSFORM)
    return any(one.takes(form) and one.edits == edits for one in transforms)
