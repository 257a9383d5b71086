"""Copies of a model that also give the gradient of a score, or its attention."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.api import Extension, Silent, Transform, UsageError
from studio.features.evidence.explanations.question import ClassScore
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

GRADIENT = "explained_gradient"
"""Name of the output with the gradient."""

ATTENTION = "explained_attention"
"""Beginning of the names of the outputs with attention."""

FORMAT = "onnx"
_GRADIENT_EDIT, _ATTENTION_EDIT = "input-gradient", "attention"


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
        options = {
            "number": reader.index,
            "input": name,
            "output": reader.output,
            "softmax": reader.as_probability,
            "name": GRADIENT,
        }
        return self._edited(_GRADIENT_EDIT, options)

    def attentive(self) -> Path:
        """Return a copy with the attention of each layer.

        Raises:
            UsageError: for a model without attention that can be seen.
        """
        return self._edited(_ATTENTION_EDIT, {"prefix": ATTENTION})

    def _edited(self, edit: str, options: Mapping[str, object]) -> Path:
        if self.form != FORMAT:
            raise not_onnx(self.form)
        transform: Transform = self.host.get(Extension.TRANSFORM, edit)
        self.folder.mkdir(exist_ok=True)
        output = self.folder / f"copy-{len(list(self.folder.iterdir()))}.onnx"
        return transform.apply(self.path, output, options, None, Silent()).path


def not_onnx(form: str) -> UsageError:
    """Return the error for a format whose graph cannot be extended."""
    return UsageError(
        f"Integrated gradients and attention need an ONNX model, not {form}.",
        hint="Explain the ONNX model that it was made of, or use a method that removes parts.",
    )
