"""Formats that an ONNX model can be exported to, and the converters that lead there."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Capability, Extension, Unavailable
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

SOURCE = "onnx"
_BRIDGE = "pytorch-export"
"""The format in between, for converters that read programs of PyTorch alone."""


@dataclass(frozen=True, slots=True)
class TargetFormat:
    """A format that is made of ONNX.

    Attributes:
        id: As converters name it.
        suffix: Of its file or folder.
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
        TargetFormat(_BRIDGE, "PyTorch export", ".pt2"),
    )
}


def converters_to(target: TargetFormat, host: PluginHost) -> Sequence[Capability]:
    """Return the converters from ONNX to a format, in order: one, or two with PyTorch in between.

    Raises:
        Unavailable: when no plugin writes it.
    """
    direct = _between(SOURCE, target.id, host)
    if direct is not None:
        return (direct,)
    first, second = _between(SOURCE, _BRIDGE, host), _between(_BRIDGE, target.id, host)
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
