"""Results of the steps of quantization, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.documents.dataclass_json import JsonValue


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """A runtime and its version."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Error and time of one layer that alone is quantized.

    Attributes:
        bits: Width of its weights and activations.
        sqnr_db: Signal-to-quantization-noise ratio at the model's outputs, in decibels.
        float_us, int8_us: Median time of the layer alone on this machine, in microseconds.
        gain_us: Time that int8 saves; negative for a layer that becomes slower.
        drop: Decrease of the metric; None where it was not measured.
    """

    name: str
    bits: int
    sqnr_db: float
    float_us: float
    int8_us: float
    gain_us: float
    drop: float | None = None


@dataclass(frozen=True, slots=True)
class FloatMetric:
    """A metric of the float model, against which layers are compared."""

    name: str
    title: str
    before: float
    samples: int


@dataclass(frozen=True, slots=True)
class SensitivityResult:
    """Sensitivity of all layers that a quantization may choose from, largest error first.

    Attributes:
        recipe: The preset under its former key, until 0.3.
        preset: The preset in its JSON form; empty in results of earlier versions.
        signature: Digest of all that the costs depend on; a search finds them by it.
    """

    model: str
    layers: tuple[LayerCost, ...]
    metric: FloatMetric | None
    recipe: Mapping[str, JsonValue]
    signature: str | None
    backend: RuntimeVersion
    seconds: float
    preset: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def slower(self) -> int:
        """The number of layers that are no faster in int8 on this machine."""
        return sum(layer.gain_us <= 0 for layer in self.layers)
