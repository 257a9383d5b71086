"""Formats that a model can be exported to, and the converters that lead there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.api import Capability, Extension, Unavailable
from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.plugin_host import PluginHost

SOURCE = "onnx"
_BRIDGES = {SOURCE: "pytorch-export", "gguf": "safetensors"}
"""The format in between by source, for converters that read it alone."""

LANGUAGE_SOURCES = ("safetensors", "gguf")
"""Formats of language models that are converted to others."""


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """A format that is made of another one.

    Attributes:
        id: As converters name it.
        suffix: Of its file or folder; empty for a folder of several files.
        sources: Formats that it is made of.
        precisions: What it can compute in; the first is the usual one.
        opens: Whether the studio opens it, so that it becomes a variant.
        keeps_open: Whether open sizes stay open.
        calibrated: Precisions that need samples.
    """

    id: str
    title: str
    suffix: str
    precisions: tuple[str, ...] = ("fp32",)
    opens: bool = False
    keeps_open: bool = False
    calibrated: tuple[str, ...] = ()
    sources: tuple[str, ...] = (SOURCE,)

    @property
    def is_language(self) -> bool:
        """Whether it is a format of language models alone."""
        return SOURCE not in self.sources


TARGETS = {
    one.id: one
    for one in (
        TargetFormat(
            "tflite",
            "TFLite",
            ".tflite",
            ("fp32", "int8", "int8-whole", "int8-io"),
            opens=True,
            calibrated=("int8", "int8-whole", "int8-io"),
        ),
        TargetFormat(
            "openvino", "OpenVINO IR", ".xml", ("fp32", "fp16"), opens=True, keeps_open=True
        ),
        TargetFormat("coreml", "Core ML", ".mlpackage", ("fp16", "fp32", "int8")),
        TargetFormat("executorch", "ExecuTorch", ".pte"),
        TargetFormat("pytorch-export", "PyTorch export", ".pt2"),
        TargetFormat(
            "gguf", "GGUF", ".gguf", ("fp16", "fp32", "int8"), opens=True, sources=("safetensors",)
        ),
        TargetFormat(
            "safetensors", "Safetensors", "", ("fp32", "fp16"), opens=True, sources=("gguf",)
        ),
        TargetFormat(
            "onnxruntime-genai",
            "onnxruntime-genai",
            "",
            ("int4", "int8", "fp32"),
            opens=True,
            sources=LANGUAGE_SOURCES,
        ),
        TargetFormat(
            "openvino-genai",
            "OpenVINO GenAI",
            "",
            ("int8", "int4", "fp16", "fp32"),
            opens=True,
            sources=LANGUAGE_SOURCES,
        ),
    )
}


def targets_of(source: str) -> tuple[TargetFormat, ...]:
    """Return the formats that are made of a format."""
    return tuple(one for one in TARGETS.values() if source in one.sources)


def converters_to(
    target: TargetFormat, host: PluginHost, source: str = SOURCE
) -> Sequence[Capability]:
    """Return the converters from one format to another, in order: one, or two with one in between.

    Raises:
        Unavailable: when no plugin writes it.
    """
    direct = _between(source, target.id, host)
    if direct is not None:
        return (direct,)
    bridge = _BRIDGES.get(source, "")
    first, second = _between(source, bridge, host), _between(bridge, target.id, host)
    if first is None or second is None:
        raise Unavailable(f"No installed plugin writes {target.title}.")
    return (first, second)


def _between(source: str, target: str, host: PluginHost) -> Capability | None:
    found = (
        one
        for one in host.all(Extension.CONVERTER)
        if source in one.sources and target in one.targets
    )
    return next(found, None)
