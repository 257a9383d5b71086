"""Element types of stored weights, and the bytes of their blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorKind:
    """An element type whose values are stored in blocks.

    Attributes:
        name: ``float32``, ``q4_k`` ...
        values: Values of a block; 1 for plain numbers.
        bytes: Bytes of a block, with its scales.
    """

    name: str
    values: int
    bytes: int

    @property
    def bits(self) -> float:
        """Bits of one value, its share of the scales included."""
        return 8 * self.bytes / self.values


_PLAIN = {
    0: ("float32", 4), 1: ("float16", 2), 24: ("int8", 1), 25: ("int16", 2), 26: ("int32", 4),
    27: ("int64", 8), 28: ("float64", 8), 30: ("bfloat16", 2),
}  # fmt: skip
_BLOCKS = {
    2: ("q4_0", 32, 18), 3: ("q4_1", 32, 20), 6: ("q5_0", 32, 22), 7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34), 9: ("q8_1", 32, 40), 10: ("q2_k", 256, 84), 11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144), 13: ("q5_k", 256, 176), 14: ("q6_k", 256, 210), 15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66), 17: ("iq2_xs", 256, 74), 18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50), 20: ("iq4_nl", 32, 18), 21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82), 23: ("iq4_xs", 256, 136), 29: ("iq1_m", 256, 56),
    34: ("tq1_0", 256, 54), 35: ("tq2_0", 256, 66), 39: ("mxfp4", 32, 17), 40: ("nvfp4", 64, 36),
}  # fmt: skip
GGML_TYPES = {
    **{number: TensorKind(name, 1, size) for number, (name, size) in _PLAIN.items()},
    **{number: TensorKind(*kind) for number, kind in _BLOCKS.items()},
}
"""Types of GGUF files by number (``ggml_type`` of llama.cpp, as of 2026-11)."""
