"""What a format may tell beside the typed graph: its structure early, constants, operators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from studio.api.data import Array
from studio.api.graph import Graph, Model
from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OperatorDoc:
    """The documentation of an operator.

    Attributes:
        since: Operator-set version in which it got this form.
        inputs, outputs, attributes: Name and text of each; plain text, perhaps with Markdown.
    """

    operator: str
    domain: str
    since: int
    text: str
    inputs: tuple[tuple[str, str], ...] = ()
    outputs: tuple[tuple[str, str], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


@runtime_checkable
class Structural(Protocol):
    """A ``Format`` that can read the graph alone, long before all is known of it."""

    def structure(self, path: Path, progress: Progress) -> Model:
        """The graph as the file holds it, without inferred types.

        It is asked before the intake, so it trusts the file as little: it holds to
        ``Limits()``, and follows no reference out of the file. What it gives is only shown.

        Raises:
            InvalidModel, UnsafeModel: as ``Format.intake`` does.
        """


@runtime_checkable
class Inspector(Protocol):
    """A ``Format`` that can be asked for details. Runs in a sandboxed worker."""

    def constant(self, path: Path, name: str, most_bytes: int) -> Array:
        """The first values of a constant, in the order of the file, as a flat array of numbers.

        Args:
            path: A file that passed its intake.
            most_bytes: More than so many stored bytes are not read.

        Raises:
            UsageError: when the model has no such constant, or it holds no numbers.
            StudioError: when its data cannot be read.
        """

    def documentation(self, operator: str, domain: str, version: int) -> OperatorDoc | None:
        """What an operator does in a version of its operator set; None where nobody says."""


class Constants(Protocol):
    """The constants of one model, read when they are asked for."""

    def read(self, name: str, most_bytes: int) -> Array:
        """Return the first values of a constant, in the order of the file, as a flat array.

        Raises:
            UsageError: when the model has no such constant, or it holds no numbers.
            StudioError: when its data cannot be read.
        """


@runtime_checkable
class WeightAnalyzer(Protocol):
    """An ``Analyzer`` whose numbers follow from the weights; new in version 2 of the API.

    Its ``analyze`` gives what can be said without weights, perhaps nothing.
    """

    def analyze_weights(self, graph: Graph, constants: Constants) -> Mapping[str, float]:
        """Return one number for each node that has one, by node name."""


__all__ = ["Constants", "Inspector", "OperatorDoc", "Structural", "WeightAnalyzer"]
