"""A reference goes through JSON, and one that somebody edited is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from studio.runtime.drift.reference import Reference
from tests.unit.runtime.drift.frames import reference


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(reference(100).to_json()))
    return found


def test_what_was_written_is_read(content: dict[str, Any]) -> None:
    found = Reference.from_json(content)
    assert found.to_json() == content
    assert np.allclose(found.expected().sum(axis=1), 1)
    assert found.edges().shape == (len(found.signals), 9)


def test_small(content: dict[str, Any]) -> None:
    assert len(json.dumps(content)) < 20_000


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"form": 2}, "does not know"),
        ({"window": 3}, "8 to 255"),
        ({"frames": 0}, "some frames"),
        ({"signals": []}, "1 to 88 signals"),
        ({"taps": [{}]}, "incomplete"),
    ],
)
def test_refused(content: dict[str, Any], change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Reference.from_json({**content, **change})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"counts": [1] * 11, "edges": list(range(10))}, "2 to 10 bins"),
        ({"counts": [100], "edges": []}, "2 to 10 bins"),
        ({"counts": [50, 51], "edges": [0.5]}, "do not hold its frames"),
        ({"counts": [100, 0], "edges": [0.5]}, "do not hold its frames"),
        ({"counts": [40, 30, 30], "edges": [0.5, 0.5]}, "do not rise"),
    ],
)
def test_signal_refused(content: dict[str, Any], change: dict[str, Any], sentence: str) -> None:
    first = {**content["signals"][0], **change}
    with pytest.raises(ValueError, match=sentence):
        Reference.from_json({**content, "signals": [first]})
