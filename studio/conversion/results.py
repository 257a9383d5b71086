"""Results of a conversion, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass
from studio.models.results import OpenResult

LARGEST_ERROR = 1e-3
"""Largest relative error that rounding explains; float32 kernels stay far below it."""


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first value of the ONNX model that differs, in the order of the computation.

    Attributes:
        value: Its name. The values that it is computed from agree, as far as both models have them.
        operator: The operator that computes it.
        error: As the largest error of the check, for this value.
        source: Its place in the source, a line (``net.py:41``) or a layer; empty if not known.
        node: The node of the ONNX model that computes it.
    """

    value: str
    operator: str
    error: float
    source: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class ConversionCheck:
    """A comparison of the converted model with its original in its own framework.

    Attributes:
        against: Name and version of the framework.
        samples: Number of requests that both were given.
        max_error: Largest absolute difference, divided by the largest absolute value of its output.
        argmax_equal: Share of rows whose largest value is at the same place; None for outputs
            without classes.
        output: The output with the largest error.
        limit: Largest error that its precision explains; None where a metric on data decides.
        first: Where the difference begins; None without one, or where it was not located.
        faint: Outputs that are nearly zero, or no number, on every sample: that proves little.
        constant: Those that are the same on every sample.
    """

    against: str
    samples: int
    max_error: float
    argmax_equal: float | None = None
    output: str = ""
    limit: float | None = LARGEST_ERROR
    first: FirstDifference | None = optional(None)
    faint: tuple[str, ...] = optional(())
    constant: tuple[str, ...] = optional(())

    @property
    def equal(self) -> bool:
        """Whether the numbers are equal but for rounding."""
        return self.limit is None or self.max_error <= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionResult:
    """A model that was converted.

    Attributes:
        source: The file that was read.
        format: Its form, a key of ``resources/source_formats.toml``.
        output: The converted model.
        checks: Empty where no samples fit; a warning has the reason.
        dynamic: Names of the open sizes of each input that has some.
        warnings: What the user should know, a sentence each.
        precision: What it computes in; empty for that of the source.
        bytes: Size of the output.
        metadata: Facts of the source about itself, which the output has as well.
        carried: Files that the project has of the source, by field: ``labels``, ``preprocess``.
        written: Copies of them next to the output that the user named.
        variant: 0 where the studio cannot open the output's form.
        opened, texts: From the work to its record.
    """

    source: str
    format: str
    output: str = ""
    output_format: str = "onnx"
    seconds: float = 0.0
    checks: tuple[ConversionCheck, ...] = ()
    dynamic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    precision: str = ""
    bytes: int = 0
    model: str = ""
    variant: int = 0
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    opened: OpenResult | None = optional(None)
    texts: Mapping[str, str] | None = optional(None)

    @property
    def equal(self) -> bool:
        """Whether no comparison found a difference beyond rounding."""
        return all(check.equal for check in self.checks)
