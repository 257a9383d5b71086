"""The choice of the format plugin for a file."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from studio.api import Extension, Format, InvalidModel
from studio.models.source_formats import source_format
from studio.plugin_host import PluginHost

_CONVERT = "Convert it: studio convert FILE{} --out model.onnx, or drop it onto the window."
_ONNX = "onnx"
_CONSENT = " --run-code"


def format_for(path: Path, host: PluginHost) -> Format:
    """Return the format that recognises a file.

    Raises:
        InvalidModel: when there is no such file, or no format knows it.
    """
    if not path.exists():
        raise InvalidModel(
            f"No such file: {path.name}.",
            hint="Open the model again, or restore the file from a backup.",
            detail=str(path),
        )
    capabilities = host.all(Extension.FORMAT)
    for capability in capabilities:
        known = cast(Format, host.create(capability))
        if known.recognises(path):
            return known
    if (source := source_format(path)) is not None:
        known_converter = any(
            source.id in one.sources and _ONNX in one.targets
            for one in host.all(Extension.CONVERTER)
        )
        raise InvalidModel(
            f"{path.name} is {source.title}. It can be opened once it is ONNX.",
            hint=_CONVERT.format(_CONSENT * source.runs_code) if known_converter else source.remedy,
        )
    names = sorted((one.title for one in capabilities), key=lambda title: title != "ONNX")
    titles = ", ".join(names) or "none"
    known_titles = f"Known formats: {titles}."
    if path.is_dir():
        raise InvalidModel(
            f"{path.name} is a folder without a model in a known format.", hint=known_titles
        )
    raise InvalidModel(
        f"{path.name} is not a model in a known format.",
        hint=f"{known_titles} Use the Netron panel in the window to view other formats.",
    )
