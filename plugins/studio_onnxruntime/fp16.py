"""Half precision: weights and arithmetic in 16-bit floats, inputs and outputs unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx

from studio.api import Dataset, InvalidModel, Option, Progress, StudioError, Transformed, validate
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.preparation import confined, hand_over, load, matching_names
from studio_onnxruntime.static_int8 import KEEP


class Float16:
    """The transform. Halves the size; faster on GPUs and NPUs, seldom on a CPU."""

    id = "fp16"
    title = "fp16"
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
        values = validate(self.options, options)
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, 3, "Reading the model")
            model = load(source)
            weights = sum(1 for _ in _float_constants(model.graph))
            if not weights:
                raise StudioError("There is nothing to convert: the model has no float32 weights.")
            kept = matching_names(model.graph, values["keep"])
            progress.progress(1, 3, "Converting to half precision")
            converted = _convert(model, kept)
            onnx.save(converted, str(Path(scratch) / output.name))
            progress.progress(2, 3, "Checking the model")
            hand_over(Path(scratch) / output.name, output)
        return Transformed(output, "fp16", {"converted": weights, "kept": sorted(kept)})


def _float_constants(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Return the stored float32 tensors: initializers and those of Constant nodes."""
    stored = list(graph.initializer)
    stored += [a.t for node in graph.node if node.op_type == "Constant" for a in node.attribute]
    return (tensor for tensor in stored if tensor.data_type == onnx.TensorProto.FLOAT)


def _convert(model: onnx.ModelProto, kept: set[str]) -> onnx.ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    try:
        converted: onnx.ModelProto = convert_float_to_float16(
            model, keep_io_types=True, node_block_list=sorted(kept)
        )
        # The conversion puts its casts behind the nodes that read them.
        OnnxModel(converted).topological_sort()
    except Exception as error:  # Python errors of many kinds
        raise InvalidModel(
            f"The model cannot be converted to half precision: {first_sentence(error)}",
            detail=str(error),
        ) from None
    return converted
