"""Static int8: ranges calibrated on samples, quantize and dequantize pairs around operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx

from studio.api import (
    Dataset,
    InvalidData,
    InvalidModel,
    Kind,
    Option,
    Progress,
    Sample,
    StudioError,
    Transformed,
    validate,
)
from studio_onnxruntime import hardware
from studio_onnxruntime.backend import first_sentence
from studio_onnxruntime.preparation import Selection, checked, confined, load, prepared, select

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
            default="minmax",
            choices=("minmax", "percentile", "entropy"),
            help="How the range of an activation follows from the samples.",
        ),
        Option(
            "percentile",
            Kind.NUMBER,
            default=99.999,
            minimum=50,
            maximum=100,
            unit="%",
            advanced=True,
            help="Share of the values inside the range, for the percentile calibration.",
        ),
        KEEP,
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
        total = len(data) + 3
        with TemporaryDirectory(dir=output.parent) as scratch, confined(Path(scratch)):
            progress.progress(0, total, "Preparing the graph")
            model = load(source)
            ready = prepared(model, Path(scratch))
            selection = select(
                model.graph,
                onnx.load(str(ready), load_external_data=False).graph,
                OPERATORS,
                values["keep"],
                constant_only=values["float_attention"],
            )
            progress.progress(1, total, "Calibrating")
            reader = _Reader(data, progress, total)
            facts = _quantize(ready, output, selection, reader, values)
        progress.progress(total - 1, total, "Checking the model")
        checked(output)
        return Transformed(output, "int8", {**facts, "samples": len(data)})


class _Reader:
    """The samples as onnxruntime's calibration wants them; each is a progress point.

    With `set_range` the calibration asks for one sample at a time and keeps nothing but its
    running ranges, so that memory does not grow with the number of samples.
    """

    def __init__(self, data: Dataset, progress: Progress, total: int) -> None:
        self._data = data
        self._samples: Iterator[Sample] = iter(data)
        self._open: Iterator[Sample] = iter(())
        self._progress = progress
        self._total = total

    def __len__(self) -> int:
        return len(self._data)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._progress.progress(start_index + 1, self._total, "Calibrating")
        self._open = islice(self._samples, end_index - start_index)

    def get_next(self) -> dict[str, Any] | None:
        sample = next(self._open, None)
        return dict(sample.feeds) if sample else None


def _quantize(
    source: Path, output: Path, selection: Selection, reader: _Reader, values: Mapping[str, Any]
) -> dict[str, Any]:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "percentile": CalibrationMethod.Percentile,
        "entropy": CalibrationMethod.Entropy,
    }
    signed = {"auto": hardware.is_arm(), "signed": True, "unsigned": False}[values["activations"]]
    reduced = {"auto": hardware.saturates(), "yes": True, "no": False}[values["reduce_range"]]
    try:
        quantize_static(
            str(source),
            str(output),
            reader,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(OPERATORS),
            nodes_to_quantize=list(selection.chosen),
            per_channel=True,
            reduce_range=reduced,
            activation_type=QuantType.QInt8 if signed else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=methods[values["calibration"]],
            extra_options={"CalibStridedMinMax": 1, "CalibPercentile": values["percentile"]},
        )
    except StudioError:
        raise
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
