"""Copies of a model that also give the gradient of a score."""

from __future__ import annotations

from pathlib import Path

from studio.api import Extension, Silent, Transform, UsageError
from studio.evidence.explanations.question import ClassScore
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

GRADIENT = "explained_gradient"
"""Name of the output with the gradient."""

FORMAT = "onnx"
_EDIT = "input-gradient"


@dataclass(frozen=True, slots=True)
class GradientSource:
    """A model file of which such copies are written.

    Attributes:
        folder: For the copies.
    """

    host: PluginHost
    path: Path
    form: str
    folder: Path

    def written(self, name: str, reader: ClassScore) -> Path:
        """Return a copy with the gradient of a score with respect to an input.

        Raises:
            UsageError: for a model that has no gradient, naming the operator.
        """
        if self.form != FORMAT:
            raise not_onnx(self.form)
        transform: Transform = self.host.get(Extension.TRANSFORM, _EDIT)
        self.folder.mkdir(exist_ok=True)
        options = {
            "number": reader.index,
            "input": name,
            "output": reader.output,
            "softmax": reader.as_probability,
            "name": GRADIENT,
        }
        output = self.folder / f"gradient-{len(list(self.folder.iterdir()))}.onnx"
        return transform.apply(self.path, output, options, None, Silent()).path


def not_onnx(form: str) -> UsageError:
    """Return the error for a format whose gradients are not known."""
    return UsageError(
        f"Integrated gradients need an ONNX model, not {form}.",
        hint="Explain the ONNX model that it was made of, or use a method that removes parts.",
    )
