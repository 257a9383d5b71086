"""Static int8: ranges calibrated on samples, quantize and dequantize pairs around operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import onnx

from studio.api import (
    Dataset,
    InvalidData,
    InvalidModel,
    Kind,
    Option,
    Progress,
    Transformed,
    validate,
)
from studio_onnxruntime import hardware
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.bias_correction import clip_weights, correct_biases
from studio_onnxruntime.calibration import METHODS, calibrate
from studio_onnxruntime.histogram import Range
from studio_onnxruntime.preparation import Selection, checked, confined, load, prepared, select
from studio_onnxruntime.rewriting import fold

OPERATORS = ("Conv", "MatMul", "Gemm")
"""The operators that pay on every CPU; quantizing all that can be destroys real models."""

KEEP = Option(
    "keep",
    many=True,
    default=(),
    title="Keep in float",
    help="Nodes that stay in float: names (with * for any characters) or operators.",
)


class StaticInt8:
    """The transform. Weights are signed and per channel; the samples are read one at a time."""

    id = "static-int8"
    title = "int8, calibrated"
    needs_data = True
    options: Sequence[Option] = (
        Option(
            "calibration",
            Kind.CHOICE,
            default="activation-aware",
            choices=METHODS,
            help="How the range of an activation follows from the samples.",
        ),
        Option(
            "percentile",
            Kind.NUMBER,
            default=99.99,
            minimum=50,
            maximum=100,
            unit="%",
            advanced=True,
            help="Share of the values inside the range, for the percentile calibration.",
        ),
        KEEP,
        Option(
            "fold",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Fold scales and offsets into convolutions first; the float outputs stay.",
        ),
        Option(
            "clip_weights",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Cut each channel's weights off where the rounded ones then lose least.",
        ),
        Option(
            "correct_biases",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Add to the biases what rounding takes from each channel on average.",
        ),
        Option(
            "float_depthwise",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Keep depthwise convolutions in float: in int8 they are slower on most CPUs.",
        ),
        Option(
            "float_attention",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Keep products of two activations, as in attention, in float.",
        ),
        Option(
            "activations",
            Kind.CHOICE,
            default="auto",
            choices=("auto", "unsigned", "signed"),
            advanced=True,
            help="Unsigned is fast on x86, signed on Arm; auto follows this machine.",
        ),
        Option(
            "reduce_range",
            Kind.CHOICE,
            default="auto",
            choices=("auto", "yes", "no"),
            advanced=True,
            help="Use 7 bits for weights, as x86 processors without VNNI need it.",
        ),
    )

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        values = validate(self.options, options)
        if data is None or not len(data):
            raise InvalidData("Calibrated int8 needs at least one sample.")
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, 1, "Preparing the graph")
            model = load(source)
            ready = prepared(model, Path(scratch))
            folded = _folded(ready) if values["fold"] else 0
            selection = select(
                model.graph,
                onnx.load(str(ready), load_external_data=False).graph,
                OPERATORS,
                values["keep"],
                constant_only=values["float_attention"],
                float_depthwise=values["float_depthwise"],
            )
            ranges = calibrate(
                ready,
                OPERATORS,
                data,
                progress,
                method=values["calibration"],
                percentile=values["percentile"],
            )
            tuned = _tuned(ready, selection, ranges, values, data, progress)
            progress.progress(1, 1, "Quantizing")
            facts = {**_quantize(tuned, output, selection, ranges, values), "folded": folded}
        checked(output)
        return Transformed(output, "int8", {**facts, "samples": len(data)})


def _folded(ready: Path) -> int:
    """Fold in place, and run through the runtime's own checks once more."""
    model = onnx.load(str(ready))
    count = fold(model)
    onnx.save(model, str(ready))
    return count


def _tuned(
    ready: Path,
    selection: Selection,
    ranges: Mapping[str, Range],
    values: Mapping[str, Any],
    data: Dataset,
    progress: Progress,
) -> Path:
    """The model with weights and biases that lose less when they are rounded."""
    model = onnx.load(str(ready))
    levels = 63 if _reduced(values) else 127
    if values["clip_weights"]:
        clip_weights(model, selection.chosen, levels)
    if values["correct_biases"]:
        correct_biases(ready, model, selection.chosen, ranges, data, progress, levels)
    tuned = ready.with_name("tuned.onnx")
    onnx.save(model, str(tuned))
    return tuned


def _reduced(values: Mapping[str, Any]) -> bool:
    return {"auto": hardware.saturates(), "yes": True, "no": False}[values["reduce_range"]]


def _quantize(
    source: Path,
    output: Path,
    selection: Selection,
    ranges: Mapping[str, Range],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    from onnxruntime.quantization import QuantType
    from onnxruntime.quantization.calibrate import TensorData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

    signed = {"auto": hardware.is_arm(), "signed": True, "unsigned": False}[values["activations"]]
    reduced = _reduced(values)
    try:
        quantizer = QDQQuantizer(
            load_model_with_shape_infer(source),
            per_channel=True,
            reduce_range=reduced,
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QInt8 if signed else QuantType.QUInt8,
            tensors_range={
                name: TensorData(lowest=numpy.float32(low), highest=numpy.float32(high))
                for name, (low, high) in ranges.items()
            },
            nodes_to_quantize=list(selection.chosen),
            nodes_to_exclude=[],
            op_types_to_quantize=list(OPERATORS),
            # Their outputs feed additions and softmax, which run in float anyway.
            extra_options={"OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
        quantizer.quantize_model()
        quantizer.model.save_model_to_file(str(output))
    except Exception as error:  # native and Python errors of many kinds
        raise InvalidModel(
            f"ONNX Runtime cannot quantize the model: {first_sentence(error)}", detail=str(error)
        ) from None
    return {
        "operators": list(OPERATORS),
        "quantized": len(selection.chosen),
        "kept": selection.kept,
        "activations": "int8" if signed else "uint8",
        "reduced_range": reduced,
        "calibration": values["calibration"],
    }
