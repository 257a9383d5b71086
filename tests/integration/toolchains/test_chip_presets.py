"""All presets of the studio, put before all compilers of chips that take ONNX models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

COMPILERS = {"nvidia-a100": "tensorrt", "snapdragon-8-gen-2": "qnn", "rk3588": "rknn"}
_LONG = 900


@pytest.fixture(scope="module")
def quantized(
    tmp_path_factory: pytest.TempPathFactory, rigs: Path, digits: Path
) -> dict[str, Path]:
    """Digits by preset, of each that the studio ships."""
    studio = Studio(tmp_path_factory.mktemp("all-presets"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    for name in (*COMPILERS.values(), "nncf"):
        install(studio, name)
    folder = tmp_path_factory.mktemp("quantized")
    names = [one["name"] for one in studio.ok("presets", "list")["presets"] if not one["own"]]
    for name in names:
        words = ("--preset", name, "--out", folder / f"{name}.onnx")
        studio.ok("quantize", digits / "digits.onnx", *words, timeout=_LONG)
    return {name: folder / f"{name}.onnx" for name in names}


def verdicts(studio: Studio, models: dict[str, Path], chip: str) -> dict[str, dict[str, Any]]:
    found = {}
    for name, model in models.items():
        done = studio.run("check", model, "--for", chip, "--json", timeout=_LONG)
        assert done.code in (0, 3), f"{name}: {done.err}"
        assert (done.code == 3) == (done.json["verdict"] == "refused"), name
        found[name] = done.json
    return found


@pytest.mark.parametrize("chip", COMPILERS)
def test_each_preset_has_a_verdict_with_its_reason(
    kept: Studio, quantized: dict[str, Path], chip: str
) -> None:
    assert len(quantized) >= 16
    found = verdicts(kept, quantized, chip)
    presets = {one["id"]: one["preset"] for one in kept.ok("chips", "list")["chips"]}
    for name, result in found.items():
        assert " ended: " not in result["reason"], f"{name}: the compiler crashed"
        if result["verdict"] != "runs":
            reasons = [one["reason"] for one in result["refused"]] or [result["reason"]]
            assert all(reasons), name
        if result["numbers"] is not None and result["numbers"]["argmax_equal"] is not None:
            assert result["numbers"]["argmax_equal"] > 0.9, name
    own = found[presets[chip]]
    assert (own["verdict"], own["nodes"]["fallback"], own["refused"]) == ("runs", 0, [])
