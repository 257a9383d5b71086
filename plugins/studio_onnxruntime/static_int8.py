"""Static int8: ranges calibrated on samples, quantize and dequantize pairs around operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from studio.api import (
    Dataset,
    InvalidData,
    Kind,
    Option,
    Progress,
    Transformed,
    validate,
)
from studio_onnxruntime import hardware

if TYPE_CHECKING:
    from studio_onnxruntime.tuning import Int8Tuner

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
            choices=(
                "activation-aware",
                "mse",
                "percentile",
                "percentile-symmetric",
                "minmax",
                "entropy",
            ),
            choice_titles=(
                "least error",
                "least plain error",
                "percentile",
                "even percentile",
                "min and max",
                "entropy",
            ),
            help="Method that sets activation ranges.",
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
            help="Fold scales and offsets into convolutions first. Float outputs do not change.",
        ),
        Option(
            "equalise",
            Kind.FLAG,
            default=False,
            advanced=True,
            help="Balance the channels between two convolutions first. Float outputs do not "
            "change; SQNR rises for some models and falls for others.",
        ),
        Option(
            "equalise_inputs",
            Kind.FLAG,
            default=False,
            advanced=True,
            help="Balance the channels that depthwise convolutions in int8 read, in the Mul, Add "
            "or convolution ahead of them; the float outputs stay.",
        ),
        Option(
            "clip_weights",
            Kind.FLAG,
            default=False,
            advanced=True,
            help="Clip weights to the least rounding error: helps with 7 bits or fewer.",
        ),
        Option(
            "correct_biases",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Correct the biases by the mean rounding error of each channel.",
        ),
        Option(
            "float_depthwise",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Keep depthwise convolutions in float: in int8 they are slower on most CPUs.",
        ),
        Option(
            "float_outliers",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="Keep outlier layers in float.",
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
            choices=("auto", "unsigned", "signed", "symmetric"),
            advanced=True,
            help="Unsigned is fast on x86, signed on Arm; auto follows this machine. Symmetric is "
            "signed with the zero point 0, as TensorRT wants it.",
        ),
        Option(
            "biases",
            Kind.CHOICE,
            default="int32",
            choices=("int32", "float"),
            advanced=True,
            help="Biases in 32 bits, or in float for compilers that refuse the 32 bits.",
        ),
        Option(
            "outputs",
            Kind.CHOICE,
            default="convolutions",
            choices=("convolutions", "layers", "all"),
            title="Rounded outputs",
            advanced=True,
            help="Outputs that are rounded: those of convolutions, of all layers, or of every "
            "operator, for NPUs without floats.",
        ),
        Option(
            "activation_bits",
            Kind.CHOICE,
            default="8",
            choices=("8", "16"),
            advanced=True,
            help="16 keeps nearly all of the accuracy; only NPUs have kernels for it.",
        ),
        Option(
            "wide",
            many=True,
            default=(),
            title="16-bit activations",
            advanced=True,
            help="Nodes that read and write 16 bits: names (with * for any characters) or "
            "operators.",
        ),
        Option(
            "per_channel",
            Kind.FLAG,
            default=True,
            advanced=True,
            help="A scale for each output channel of the weights instead of one for all.",
        ),
        Option(
            "reduce_range",
            Kind.CHOICE,
            default="auto",
            choices=("auto", "yes", "no"),
            advanced=True,
            help="Use 7-bit weights, for x86 processors without VNNI.",
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
        with TemporaryDirectory(dir=output.parent) as scratch:
            tuner = self._tuner(source, Path(scratch), values, data, progress)
            return tuner.write(output, tuner.outliers(progress), "makes most of the error")

    def outlook(self, options: Mapping[str, Any], shapes: Sequence[Any] = ()) -> dict[str, Any]:
        """Return the speed-up of int8 on this machine, from timed layers.

        Args:
            shapes: Of the layers, as `outlook.timed_layers` takes them.

        Returns:
            ``kernels`` that arithmetic on bytes has here, ``layers`` and what `outlook.overheads`
            gives.
        """
        from studio_onnxruntime.layer_timing import overheads, timed_layers

        known = {"signed": True, "symmetric": True, "unsigned": False}
        signed = known.get(options.get("activations", ""), hardware.is_arm())
        found = {"layers": timed_layers(shapes, signed), **overheads(signed)}
        return {"kernels": list(hardware.kernels()), **found}

    def tuner(
        self,
        source: Path,
        folder: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Int8Tuner:
        """Calibrate once, for many variants that differ in the layers that stay in float.

        Every layer may be chosen there, depthwise convolutions too: their time is measured.

        Args:
            folder: For files that the tuner needs as long as it is used.

        Raises:
            InvalidData, InvalidModel, StudioError: as ``apply`` does.
        """
        values = {**validate(self.options, options), "float_depthwise": False}
        return self._tuner(source, folder, values, data, progress)

    def _tuner(
        self,
        source: Path,
        folder: Path,
        values: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Int8Tuner:
        from studio_onnxruntime.tuning import Int8Tuner  # with onnx, which the options need not

        if data is None or not len(data):
            raise InvalidData("Calibrated int8 needs at least one sample.")
        return Int8Tuner(source, folder, values, data, progress)
