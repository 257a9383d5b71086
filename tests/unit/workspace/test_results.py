"""Recorded results in their types."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from studio.quantization.results import RuntimeVersion
from studio.registry import Registry
from studio.workspace.results import Results


def test_results_are_typed_and_one_that_cannot_be_read_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry.open(tmp_path / "registry")
    try:
        registry.add_run("x", None, {}, {"id": "ort", "version": "1"})
        registry.add_run("x", None, {}, {"id": 7})
        with caplog.at_level(logging.WARNING):
            found = Results(registry).of("x", RuntimeVersion)
        assert [one.result for one in found] == [RuntimeVersion("ort", "1")]
        assert "id: expected a text, not 7." in caplog.text
    finally:
        registry.close()
