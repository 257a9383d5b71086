"""The time that a worker has until it is ready, from what its probe took."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.runtime.serve.release_root import probe_seconds


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (json.dumps({"probe_s": 31.5}), 31.5),
        (json.dumps({"probe_s": -1}), 0.0),
        (json.dumps({"probe_s": "soon"}), 0.0),
        (json.dumps({"python": "python3"}), 0.0),
        (json.dumps([]), 0.0),
        ("{", 0.0),
    ],
)
def test_a_slow_probe_is_read_from_the_binding(
    tmp_path: Path, content: str, expected: float
) -> None:
    release = tmp_path / "ab12"
    (tmp_path / "ab12.json").write_text(content)
    assert probe_seconds(release) == expected


def test_without_a_binding_it_is_not_known(tmp_path: Path) -> None:
    assert probe_seconds(tmp_path / "ab12") == 0.0
