"""The steps convert and export: models of other frameworks in, and forms for devices out."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.conversion.results import ConversionResult
from studio.conversion.targets import SOURCE, TARGETS
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

CODE_DIGEST = "code_digest"
"""Key of a variant's options: SHA-256 of the file whose code was allowed to run."""


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """Options of the step ``convert``."""

    source: Path = option(
        kind=Kind.FILE,
        folders=True,
        positional=True,
        title="Model",
        help="Model of another framework: .pt2, TorchScript, Keras, SavedModel, .pb, .tflite, "
        "LightGBM, XGBoost, scikit-learn, a folder of Hugging Face.",
    )
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Copy to", help="File or folder for a copy of the new model."
    )
    to: str = option(
        SOURCE,
        kind=Kind.CHOICE,
        choices=(SOURCE, *(one.id for one in TARGETS.values() if not one.is_language)),
        title="Format",
        help="Format of the new model; for another one than ONNX, see the command export.",
        advanced=True,
    )
    input: tuple[str, ...] | None = option(
        None,
        title="Input shape",
        help="Shape of an input, and its type where it is not float32: 1,3,224,224, "
        "x=1,3,224,224 or ids=1,128:int64.",
    )
    dynamic: tuple[str, ...] | None = option(
        None,
        title="Dynamic axes",
        help="Axes of an input that stay open: x=batch, or x=batch,_,height,width.",
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Data",
        help="Samples for the comparison with the original (default: random inputs).",
    )
    run_code: bool = option(
        False,
        title="Run the code in this file, in a sandbox",
        help="Run the code in the file, in a sandbox without network. A pickle of scikit-learn "
        "runs code as it is read, so it is refused otherwise.",
    )
    name: str | None = option(
        None, help="Name in the registry (default: the file name).", advanced=True
    )


CONVERT: Step[ConvertOptions, ConversionResult] = Step(
    name="convert",
    spreads=True,
    title="Convert",
    summary="Convert a model of another framework to ONNX and compare it with the original.",
    options=ConvertOptions,
    result=ConversionResult,
    work="studio.conversion.work:convert",
    record="studio.conversion.record:converted",
    limits=Limits(memory_mb=16_384, seconds=3600.0),
    effect=Effect.PURE,
    texts="studio.conversion.texts:converted",
    exit_code="studio.conversion.texts:exit_code",
)


BLOCK_SIZES = (16, 32, 64, 128, 256)
ROUNDINGS = ("rtn", "k-quant")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of the step ``export``."""

    model: ModelRef = option(
        kind=Kind.MODEL,
        positional=True,
        help="The ONNX model, or a language model in GGUF or safetensors.",
    )
    to: str = option(
        kind=Kind.CHOICE,
        choices=tuple(TARGETS),
        choice_titles=tuple(one.title for one in TARGETS.values()),
        title="Format",
        help="Format of the new model.",
    )
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Copy to", help="File or folder for the new model."
    )
    precision: str | None = option(
        None,
        kind=Kind.CHOICE,
        choices=("fp32", "fp16", "int8", "int8-whole", "int8-io", "int4"),
        help="Precision of the new model (default: that of the ONNX model; Core ML: fp16). "
        "int8-whole computes all in 8 bits, int8-io takes and gives 8 bits, too. int4 is for the "
        "weights of language models.",
    )
    input: tuple[str, ...] | None = option(
        None, title="Input shape", help="Fixed shape of an input with open sizes: x=1,3,48,320."
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Data",
        help="Samples for the comparison, and for int8 the calibration (default: random inputs).",
        project=("calibration",),
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Class names, one per line, for formats that hold some (TFLite).",
        project=("labels",),
        advanced=True,
    )
    block_size: int | None = option(
        None,
        minimum=min(BLOCK_SIZES),
        maximum=max(BLOCK_SIZES),
        title="Block size",
        help="Weights of a language model that share a scale, in int4 and int8 "
        "(default: 32; OpenVINO: 128): 16, 32, 64, 128 or 256.",
        advanced=True,
    )
    rounding: str | None = option(
        None,
        kind=Kind.CHOICE,
        choices=ROUNDINGS,
        title="Rounding",
        help="Rounding of a language model's weights for onnxruntime-genai: to the nearest "
        "level (rtn), or with scales of the least error (k-quant).",
        advanced=True,
    )
    name: str | None = option(None, help="Name of the new variant.", advanced=True)


EXPORT: Step[ExportOptions, ConversionResult] = Step(
    name="export",
    title="Export",
    summary="Convert an ONNX model to TFLite, OpenVINO IR, Core ML, ExecuTorch or a PyTorch "
    "export, and compare the result with it. Convert a language model between GGUF, safetensors, "
    "onnxruntime-genai and OpenVINO GenAI.",
    options=ExportOptions,
    result=ConversionResult,
    work="studio.conversion.language.work:export",
    record="studio.conversion.export_record:exported",
    limits=Limits(memory_mb=16_384, seconds=3600.0),
    effect=Effect.PURE,
    use=Use.CONVERT,
    texts="studio.conversion.texts:converted",
    exit_code="studio.conversion.texts:exit_code",
)
