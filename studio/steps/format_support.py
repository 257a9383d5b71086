"""What can be done with a model of a format, and in one sentence why something cannot."""

from __future__ import annotations

from studio.api import Extension
from studio.jobs import AnyStep, Use
from studio.plugin_host import PluginHost

SERVED = frozenset({"onnx"})
"""Formats that the runtime on targets loads."""

HINT = "Open the ONNX model that it was converted from."

_SENTENCES = {
    Use.RUN: "No backend here runs {0} models.",
    Use.QUANTIZE: "Nothing here quantizes {0} models.",
    Use.EDIT: "Nothing here edits {0} models.",
    Use.SERVE: "Targets serve ONNX models; {0} models are looked at and compared only.",
    Use.COVER: "Coverage is known for ONNX Runtime, which loads no {0} models.",
}


def why_not(step: AnyStep, form: str, host: PluginHost) -> str:
    """Return why a step cannot be done with a model of a format; empty when it can.

    Args:
        form: The format's id.
    """
    use = step.use or Use.READ
    if use is Use.READ or _can(use, form, host):
        return ""
    titles = {one.id: one.title for one in host.all(Extension.FORMAT)}
    return _SENTENCES[use].format(titles.get(form, form))


def _can(use: Use, form: str, host: PluginHost) -> bool:
    if use in (Use.SERVE, Use.COVER):
        return form in SERVED
    if use is Use.RUN:
        return any(one.takes(form) for one in host.all(Extension.BACKEND))
    edits = use is Use.EDIT
    transforms = host.all(Extension.TRANSFORM)
    return any(one.takes(form) and one.edits == edits for one in transforms)
