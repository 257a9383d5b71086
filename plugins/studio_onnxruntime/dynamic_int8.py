"""Dynamic int8: weights in int8, ranges of activations measured at each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx

from studio.api import Dataset, InvalidModel, Option, Progress, Transformed, validate
from studio_onnxruntime import hardware
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.details import layers
from studio_onnxruntime.preparation import confined, hand_over, load, prepared, select
from studio_onnxruntime.static_int8 import KEEP

OPERATORS = ("MatMul", "Gemm")
"""Convolutions are left out: the runtime's dynamic ones are slower than float."""

_SPLIT = "_MatMul"
"""Behind the name of the product that the runtime makes of a Gemm before it quantizes it."""


class DynamicInt8:
    """The transform. It needs no samples, and suits models that are mostly matrix products."""

    id = "dynamic-int8"
    title = "int8, ranges measured while it runs"
    needs_data = False
    options: Sequence[Option] = (KEEP,)

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        values = validate(self.options, options)
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, 3, "Preparing the graph")
            model = load(source)
            ready = prepared(model, Path(scratch))
            graph = onnx.load(str(ready), load_external_data=False).graph
            selection = select(model.graph, graph, OPERATORS, values["keep"], constant_only=True)
            rows = layers(graph, selection.chosen, selection.kept, "int8")
            progress.progress(1, 3, "Quantizing the weights")
            reduced = hardware.saturates()
            try:
                quantize_dynamic(
                    str(ready),
                    str(Path(scratch) / output.name),
                    op_types_to_quantize=list(OPERATORS),
                    nodes_to_quantize=[name for n in selection.chosen for name in (n, n + _SPLIT)],
                    per_channel=True,
                    reduce_range=reduced,
                    weight_type=QuantType.QInt8,
                    extra_options={
                        "MatMulConstBOnly": True,
                        "DefaultTensorType": onnx.TensorProto.FLOAT,
                    },
                )
            except OSError:  # such as a full disk: no fault of the model
                raise
            except Exception as error:  # native and Python errors of many kinds
                raise InvalidModel(
                    f"ONNX Runtime cannot quantize the model: {first_sentence(error)}",
                    detail=str(error),
                ) from None
            progress.progress(2, 3, "Checking the model")
            hand_over(Path(scratch) / output.name, output)
        facts = {
            "operators": list(OPERATORS),
            "quantized": len(selection.chosen),
            "kept": selection.kept,
            "reduced_range": reduced,
        }
        return Transformed(output, "int8", facts, rows)
