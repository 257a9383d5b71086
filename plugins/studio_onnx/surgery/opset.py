"""Conversion to another operator set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import onnx
import onnx.version_converter
from onnx import ModelProto

from studio.api import Kind, Option, StudioError
from studio_onnx.structure import constants
from studio_onnx.surgery.edit import Edit

_NEWEST = onnx.defs.onnx_opset_version()


class ConvertOpset(Edit):
    """Conversion of a model to another operator set version."""

    id = "opset"
    title = "Convert the operator set"
    options: ClassVar = (
        Option(
            "version",
            Kind.INTEGER,
            required=True,
            positional=True,
            minimum=7,
            maximum=_NEWEST,
            help="Version of the standard operators.",
        ),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Convert by the library's own adapters.

        Raises:
            StudioError: when an operator has no counterpart there, naming it.
        """
        wanted = int(options["version"])
        before = next(
            (one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0
        )
        if any(tensor.external_data for tensor in constants(model)):
            raise StudioError(
                "The operator set of a model with external data cannot be converted.",
                hint="Save it as one file first.",
            )
        if before == wanted:
            return {"equal": True, "text": f"it has version {wanted} already"}
        try:
            converted = onnx.version_converter.convert_version(model, wanted)
        except Exception as error:  # native errors of many kinds
            raise StudioError(
                f"The model cannot be converted from version {before} to {wanted}.",
                hint="An operator has no counterpart there; the detail names it.",
                detail=str(error),
            ) from None
        model.CopyFrom(converted)
        return {"equal": True, "text": f"version {before} to {wanted}"}
