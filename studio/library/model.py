"""A model of the registry, and what can be done with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Literal, TypeVar

from studio.api import GateMissed, Unavailable, UsageError
from studio.conversion.results import ConversionResult
from studio.deployment.results import DeployResult
from studio.documents.html import Html, section
from studio.evaluation.results import EvaluationResult
from studio.lazy_dataclass import dataclass
from studio.library.endpoint import Endpoint
from studio.library.report import Report, ResultTable, shown
from studio.library.reports import (
    NAME_AND_VALUE,
    ConversionReport,
    EvaluationReport,
    ModelReport,
    ProfileReport,
    QuantizationReport,
    model_rows,
)
from studio.library.session import Done, Session
from studio.models.results import ModelFigures, OpenResult
from studio.packages.results import PackageResult
from studio.profiling.results import ProfileResult
from studio.quantization.results import QuantizeResult
from studio.workspace import VariantRecord, entry_file, source_format

File = str | os.PathLike[str]
FormT = TypeVar("FormT")


class Model:
    """A variant of a model in the registry: the original, or what a step made of it.

    It is made by ``studio.open``, and by methods that return another variant.

    Attributes:
        name: Its name and that of its model, ``digits:int8``; ``studio.open`` takes it.
        reference: Its number, ``#12``, which stays when names change.
        path: Its file.
        format: Id of its format (``onnx``).
        precision: What it computes in (``fp32``, ``int8``).
        size: Bytes of its file.
        figures: Nodes, parameters, MACs, inputs and outputs, as ``inspect`` returns them.
    """

    def __init__(self, session: Session, variant: int) -> None:
        record: VariantRecord = session.workspace.registry.variant(variant)
        session.workspace.registry.fetch(record.path)
        self._session = session
        self.name = f"{record.model_name}:{record.name}"
        self.reference = f"#{record.id}"
        self.path = Path(record.path)
        self.format = record.format
        self.precision = record.precision
        self.size = record.size
        self.figures = ModelFigures.read(record.summary)

    def __repr__(self) -> str:
        name = shown(self.name)
        return f"<{type(self).__name__} {name}, {self.format}, {self.size:,} bytes>"

    def _repr_html_(self) -> str:
        """Return name and figures for a notebook."""
        return section(shown(self.name), Html(self.table()._repr_html_()))

    def table(self) -> ResultTable:
        """Return a row for each figure, input, output and finding of the safety check."""
        return ResultTable(NAME_AND_VALUE, model_rows(self.figures))

    def inspect(self, *, shape: Sequence[str] | None = None) -> ModelReport:
        """Check the file and return its summary.

        Args:
            shape: Shapes of dynamic inputs, for MACs and memory: ``["x=1,3,224,224"]``.

        Raises:
            InvalidModel: when the file cannot be read as a model.
            UnsafeModel: when it reaches outside its folder or beyond the limits.
        """
        done = self._session.run("inspect", {"model": self.path, "shape": shape})
        return ModelReport("inspect", expect(ModelFigures, done), done.notes)

    def convert(
        self,
        to: str,
        *,
        out: File | None = None,
        precision: Literal["fp32", "fp16", "int8"] | None = None,
        data: File | None = None,
        overwrite: bool = False,
        **options: object,
    ) -> Converted:
        """Convert this ONNX model to another format and compare the result with it.

        Args:
            to: ``tflite``, ``openvino``, ``coreml``, ``executorch`` or ``pt2``.
            out: File or folder for a copy.
            precision: Precision of the new model; that of this one by default.
            data: Samples for the comparison, and for int8 the calibration.
            overwrite: Whether ``out`` may be overwritten.
            options: Further options of ``studio export``.

        Raises:
            Unavailable: when the converter is not installed (``studio backends install``).
            GateMissed: when the new model computes other numbers; it is in the registry all the
                same.
        """
        given = {"model": self, "to": to, "out": out, "precision": precision, "data": data}
        done = self._session.run("export", {**given, **options}, overwrite=overwrite)
        made = expect(ConversionResult, done)
        require_equal(made)
        model = Model(self._session, made.variant) if made.variant else None
        return Converted("export", made, done.notes, model)

    def quantize(
        self,
        data: File | None = None,
        *,
        preset: str | None = None,
        method: str | None = None,
        eval_data: File | None = None,
        metric: str | None = None,
        max_drop: float | None = None,
        search: bool | None = None,
        out: File | None = None,
        name: str | None = None,
        overwrite: bool = False,
        **options: object,
    ) -> Quantized:
        """Quantize this float model and measure the loss of the metric.

        Args:
            data: Calibration samples; without them, those of the model's project.
            preset: Name of a preset (``studio presets list``), or its TOML file.
            method: ``static-int8`` (default), ``dynamic-int8``, ``weight-only``, ``fp16``,
                ``bf16``, or the method of a plugin.
            eval_data: Labelled samples for the metric.
            metric: ``top1``, ``f1``, ``map`` ...; by default it follows from the labels.
            max_drop: Largest loss of the metric, in its own unit (0.01 is one point).
            search: Whether to search for layers that stay in float.
            out: File for a copy of the new model.
            name: Name of the new variant.
            overwrite: Whether ``out`` may be overwritten.
            options: Further options of ``studio quantize``, with underscores.

        Raises:
            GateMissed: when the loss is larger than ``max_drop``.
            InvalidData: when the data does not fit the model.
            UsageError: when an option does not exist or does not fit.
        """
        given = {
            **{"model": self, "data": data, "preset": preset, "method": method},
            **{"eval_data": eval_data, "metric": metric, "max_drop": max_drop},
            **{"search": search, "out": out, "name": name},
        }
        done = self._session.run("quantize", {**given, **options}, overwrite=overwrite)
        result = expect(QuantizeResult, done)
        return Quantized(self._session, QuantizationReport("quantize", result, done.notes))

    def profile(
        self,
        *others: Model | File,
        backend: str | Sequence[str] | None = None,
        target: str | None = None,
        mode: Literal["latency", "throughput", "open-loop", "sustained", "tokens"] | None = None,
        threads: int | None = None,
        seconds: float | None = None,
        data: File | None = None,
        **options: object,
    ) -> ProfileReport:
        """Benchmark this model and others in interleaved rounds, with this one as the baseline.

        Args:
            others: Models that are compared with this one: from ``studio.open``, files, or names.
            backend: Runtimes, ``onnxruntime`` by default; each runs all models.
            target: Name of a target; this computer by default.
            threads: Threads of an inference; 0 is automatic.
            seconds: Time for all measured rounds.
            data: Samples, of which the first is the input; random values by default.
            options: Further options of ``studio profile``, with underscores.

        Raises:
            TargetError: when the target cannot be reached.
            UsageError: when an option does not exist or does not fit.
        """
        models = [self, *(open_model(self._session, one) for one in others)]
        given = {
            **{"model": models, "backend": backend, "target": target, "mode": mode},
            **{"threads": threads, "seconds": seconds, "data": data},
        }
        done = self._session.run("profile", {**given, **options})
        return ProfileReport("profile", expect(ProfileResult, done), done.notes)

    def evaluate(
        self,
        data: File | None = None,
        *,
        heldout_data: File | None = None,
        target: str | None = None,
        metric: str | None = None,
        samples: int | None = None,
        **options: object,
    ) -> EvaluationReport:
        """Measure the metric of this model on labelled data.

        Args:
            data: Labelled samples; without them, those of the model's project.
            heldout_data: Further samples, which no search has used.
            target: Name of a target whose runtime evaluates the model as well.
            metric: ``top1``, ``f1``, ``map`` ...; by default it follows from the labels.
            samples: Most samples, spread evenly over the data.
            options: Further options of ``studio evaluate``, with underscores.

        Raises:
            InvalidData: when the data has no labels or does not fit the model.
        """
        given = {
            **{"model": self, "data": data, "heldout_data": heldout_data},
            **{"target": target, "metric": metric, "samples": samples},
        }
        done = self._session.run("evaluate", {**given, **options})
        return EvaluationReport("evaluate", expect(EvaluationResult, done), done.notes)

    def package(
        self,
        out: File | None = None,
        *,
        data: File | None = None,
        labels: File | None = None,
        preprocess: File | None = None,
        sign: File | None = None,
        overwrite: bool = False,
        **options: object,
    ) -> Report[PackageResult]:
        """Build a bundle: the model, golden samples, preprocessing and a manifest.

        Args:
            out: Folder for a copy of the bundle.
            data: Golden samples; without them, those of the model's project, or random inputs.
            labels: File with class names, one on a line.
            preprocess: A ``preprocess.toml``.
            sign: SSH key that signs the bundle.
            overwrite: Whether a bundle in ``out`` may be overwritten.
            options: Further options of ``studio package``, with underscores.
        """
        given = {
            **{"model": self, "out": out, "data": data, "labels": labels},
            **{"preprocess": preprocess, "sign": sign},
        }
        done = self._session.run("package", {**given, **options}, overwrite=overwrite)
        return Report("package", expect(PackageResult, done), done.notes)

    def plan(
        self, target: str = "local", *, endpoint: str | None = None, **options: object
    ) -> Report[DeployResult]:
        """Return what ``deploy`` with the same arguments would do; nothing is changed.

        ``possible`` of the result is False when a check blocks the deployment.
        """
        given = {"model": self, "target": target, "endpoint": endpoint, "dry_run": True}
        done = self._session.run("deploy", {**given, **options})
        return Report("deploy", expect(DeployResult, done), done.notes)

    def deploy(
        self,
        target: str = "local",
        *,
        endpoint: str | None = None,
        replace: bool = False,
        data: File | None = None,
        **options: object,
    ) -> Endpoint:
        """Deploy this model: upload it, test it on the target, switch at once.

        Args:
            target: Name of a target (``studio target list``); this computer by default.
            endpoint: Name of an additional endpoint, next to what the target serves already.
            replace: Whether a release of another model may be replaced.
            data: Golden samples for the bundle.
            options: Further options of ``studio deploy``, with underscores (``expose``, ``token``,
                ``tls``, ``trial``, ``soak_s`` ...).

        Raises:
            Refused: when the release is not safe; the target serves what it served.
            TargetError: when the target cannot be reached or a test fails there.
            UsageError: when an option does not fit, or another model would be replaced.
        """
        if "dry_run" in options:
            raise UsageError("A dry run makes no endpoint.", hint="Call plan() instead.")
        given = {
            **{"model": self, "target": target, "endpoint": endpoint},
            **{"replace": replace, "data": data},
        }
        done = self._session.run("deploy", {**given, **options})
        report = Report("deploy", expect(DeployResult, done), done.notes)
        return Endpoint(self._session, report.result.target, report)


class Quantized(Model):
    """A variant that a quantization made, with its report.

    Attributes:
        report: What the variant costs and saves.
    """

    def __init__(self, session: Session, report: QuantizationReport) -> None:
        super().__init__(session, report.result.variant)
        self.report = report

    @property
    def result(self) -> QuantizeResult:
        """Metric before and after, size, latency ratio, layers in float."""
        return self.report.result


@dataclass(frozen=True, repr=False)
class Converted(ConversionReport):
    """A model in another format.

    Attributes:
        variant: The new model; None where the studio cannot open its format.
    """

    variant: Model | None = field(default=None)

    @property
    def model(self) -> Model:
        """The new model.

        Raises:
            Unavailable: when the studio cannot open its format.
        """
        if self.variant is None:
            form = self.result.output_format
            raise Unavailable(
                f"The studio cannot open models of the format {form}.",
                hint=f"The file is {self.result.output}.",
            )
        return self.variant


def open_model(
    session: Session,
    source: Model | File,
    *,
    name: str | None = None,
    run_code: bool = False,
    **options: object,
) -> Model:
    """Return the model of a file or of a name in the registry; see ``studio.open``."""
    if isinstance(source, Model):
        return source
    path = Path(source).expanduser()
    if not path.is_file() and entry_file(path) == path:
        if not isinstance(source, str):
            raise UsageError(f"{path} does not exist or is no file.")
        return Model(session, session.workspace.registry.find(source).id)
    if source_format(path) is None or path.suffix in session.workspace.suffixes:
        done = session.run("open", {"model": path, "name": name, **options})
        return Model(session, expect(OpenResult, done).variant)
    given = {"source": path, "name": name, "run_code": run_code}
    made = expect(ConversionResult, session.run("convert", {**given, **options}))
    require_equal(made)
    return Model(session, made.variant)


def require_equal(made: ConversionResult) -> None:
    """Raise GateMissed when a converted model computes other numbers than its original."""
    worst = next((one for one in made.checks if not one.equal), None)
    if worst is not None:
        raise GateMissed(
            f"The new model differs from {worst.against}: largest relative error "
            f"{worst.max_error:.1e}.",
            hint=f"It is registered as #{made.variant}." if made.variant else "",
        )


def expect(form: type[FormT], done: Done) -> FormT:
    """Return the result of a step in its type."""
    assert isinstance(done.result, form)
    return done.result
