"""Sessions of quantized models whose outputs are floats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array, Feeds, Quantization, Session, Value


def quantized_ends(values: Sequence[Value]) -> dict[str, Quantization]:
    """Return the quantizations of inputs or outputs by name."""
    return {one.name: one.quantization for one in values if one.quantization is not None}


def in_floats(outputs: Mapping[str, Array], steps: Mapping[str, Quantization]) -> dict[str, Array]:
    """Return outputs, those of integers with a quantization as floats."""
    return {name: _floats(array, steps.get(name)) for name, array in outputs.items()}


def _floats(array: Array, steps: Quantization | None) -> Array:
    if steps is None or array.dtype.kind not in "iu":
        return array
    return (array.astype(numpy.float32) - steps.zero_point) * numpy.float32(steps.scale)


class FloatOutputs:
    """A session of a model whose outputs are quantized.

    Args:
        steps: Quantizations of the outputs by name.
    """

    def __init__(self, session: Session, steps: Mapping[str, Quantization]) -> None:
        self._session, self._steps = session, steps
        self.input_names = session.input_names
        self.output_names = session.output_names

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        return in_floats(self._session.run(feeds, outputs), self._steps)

    def close(self) -> None:
        self._session.close()
