"""ONNX's reference implementation as a backend: slow, exact, on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.api import Array, Feeds, InvalidModel, Option, Unavailable


class Reference:
    """The runtime."""

    id = "reference"
    title = "ONNX reference"
    options: Sequence[Option] = ()
    runner = Path(__file__).with_name("runner.py")

    def version(self) -> str:
        try:
            import onnx
        except ImportError:
            raise Unavailable("onnx is not installed.", hint="pip install onnx") from None
        return str(onnx.__version__)

    def load(self, path: Path, options: Mapping[str, Any]) -> Session:
        from onnx.reference import ReferenceEvaluator

        try:
            return Session(ReferenceEvaluator(str(path)))
        except Exception as error:  # its errors share no base class
            raise InvalidModel(f"{path.name} cannot be loaded: {error}.") from None


class Session:
    """A loaded model."""

    def __init__(self, evaluator: Any) -> None:
        self._evaluator = evaluator
        self.input_names = tuple(evaluator.input_names)
        self.output_names = tuple(evaluator.output_names)

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        names = list(outputs or self.output_names)
        return dict(zip(names, self._evaluator.run(names, dict(feeds)), strict=True))

    def close(self) -> None:
        """Nothing is held outside Python."""
