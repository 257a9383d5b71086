"""Names of sizes: those that a converter made up are short everywhere."""

from __future__ import annotations

import pytest

from studio.api import Dimension, TensorType
from studio.models.labels.dimensions import readable_type, short_type


@pytest.mark.parametrize(
    ("shape", "short", "readable"),
    [
        (("DynamicDimension.0", 3, "DynamicDimension.1"), "batch×3×?", "batch×3×?"),
        (("batch_size", "sequence_length"), "batch×seq", "batch×seq"),
        (("batch", "past_sequence_length"), "batch×?", "batch×past_sequence_length"),
        ((None, 4), "?×4", "?×4"),
        ((), "scalar", "scalar"),
        ((1,) * 9, "1×1×1×1×1×1×1×1×…", "1×1×1×1×1×1×1×1×1"),
    ],
)
def test_sizes(shape: tuple[Dimension, ...], short: str, readable: str) -> None:
    kind = TensorType("float32", shape)
    assert short_type(kind) == f"float32 {short}"
    assert readable_type(kind) == f"float32 {readable}"


def test_what_is_unknown_has_no_text() -> None:
    assert readable_type(None) == ""
    assert readable_type(TensorType("float32", None)) == "float32"
