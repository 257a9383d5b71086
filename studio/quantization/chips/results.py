"""Results of a search for layers by the verdict of a chip."""

from __future__ import annotations

from dataclasses import field

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ChipCandidate:
    """A variant that was tried for a chip.

    Attributes:
        kept: Layers that stay in float.
        drop: Loss of the metric in ONNX Runtime, on the samples of the search.
        float_share: Share of the multiplications that stay in float.
        samples: Number that it was scored on: fewer where these showed that it loses too much.
        verdict: Of the chip's compiler; empty for a variant that was not compiled.
        fallback: Number of nodes that do not run on the chip.
        chip_drop: Loss by the chip's emulator, on the first of the samples. None for a variant that
            was not run, and without an emulator.
        reason: Why the compiler refuses the whole variant.
        preset: Name of the preset; empty for that of the quantization.
    """

    kept: tuple[str, ...]
    drop: float
    float_share: float
    bytes: int = 0
    score: float = 0.0
    samples: int = 0
    verdict: str = ""
    fallback: int = 0
    chip_drop: float | None = None
    reason: str = ""
    preset: str = ""


@dataclass(frozen=True, slots=True)
class ChipSearchReport:
    """A search for the layers that stay in float, by the verdict of a chip.

    Attributes:
        chip: Name of the chip.
        max_drop: Largest loss of the metric.
        before: The metric of the float model on the samples of the search.
        needed: Layers that the chip takes in float alone.
        chosen: Layers that stay in float, with those.
        preset: Name of the chosen preset; empty for that of the quantization.
        trials: In the order in which they were made.
    """

    chip: str
    max_drop: float
    before: float = 0.0
    needed: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    preset: str = ""
    trials: tuple[ChipCandidate, ...] = field(default_factory=tuple)
    samples: int = 0
