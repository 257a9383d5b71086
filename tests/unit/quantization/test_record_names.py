"""What is made of a model whose name came from elsewhere lies in the store, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Refused
from studio.models.results import ModelFigures
from studio.quantization.record import quantized
from studio.quantization.results import QuantizeResult, SizeChange, VariantFiles
from studio.quantization.step import QuantizeOptions
from studio.registry import ModelRef, Registry

FILES = VariantFiles("made.onnx", "graph.json.gz", "details.json", ModelFigures())
RESULT = QuantizeResult(
    files=FILES,
    preset={"method": "fp16"},
    precision="fp16",
    bytes=SizeChange(7, 4),
    latency_ratio=1.0,
)


def made(tmp_path: Path, name: str) -> tuple[Registry, QuantizeOptions, Path]:
    """A registry with a model of this name, as one of before may hold it; a job's folder."""
    registry = Registry.open(tmp_path / "data" / "registry")
    source = tmp_path / "data" / "m.onnx"
    source.write_bytes(b"weights")
    variant = registry.add_variant(
        registry.add_model("m"), "fp32", registry.adopt(source), format="onnx", precision="fp32"
    )
    with registry._db.write() as db:
        db.execute("UPDATE models SET name = ?", (name,))
    job = tmp_path / "data" / "jobs" / "1"
    job.mkdir(parents=True)
    (job / "made.onnx").write_bytes(b"half")
    (job / "graph.json.gz").write_bytes(b"graph")
    (job / "details.json").write_bytes(b"{}")
    return registry, QuantizeOptions(ModelRef.of(registry.variant(variant.id))), job


@pytest.mark.parametrize("name", ["../../../../victim/x", "/victim/x", "a\nb", "digits"])
def test_quantizing_a_model_of_any_name_writes_into_the_store(tmp_path: Path, name: str) -> None:
    registry, options, job = made(tmp_path, name.replace("/victim", f"{tmp_path}/victim"))
    (tmp_path / "victim").mkdir()
    result = quantized(registry, options, RESULT, job)
    path = Path(result.output)
    registry.close()
    assert path.parent.parent.resolve() == registry.store.resolve()
    assert path.suffix == ".onnx"
    assert not list((tmp_path / "victim").iterdir())


@pytest.mark.parametrize("way", ["{}", "../../../secret"])
@pytest.mark.parametrize("key", ["file", "graph", "details"])
def test_a_worker_cannot_have_other_files_kept(tmp_path: Path, key: str, way: str) -> None:
    registry, options, job = made(tmp_path, "digits")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    files = replace(FILES, **{key: way.format(secret)})
    with pytest.raises(Refused, match="outside its folder"):
        quantized(registry, options, replace(RESULT, files=files), job)
    variants = len(registry.variants())
    registry.close()
    assert variants == 1
    assert secret.read_text() == "secret"
    assert secret.stat().st_mode & 0o200
