"""What is made of a model whose name came from elsewhere lies in the store, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import Refused
from studio.quantization.record import quantized
from studio.registry import ModelRef, Registry

RESULT: dict[str, Any] = {
    "file": "made.onnx",
    "graph": "graph.json.gz",
    "summary": {},
    "preset": {"method": "fp16"},
    "precision": "fp16",
    "metric": None,
    "bytes": {"before": 7, "after": 4},
    "latency_ratio": 1.0,
    "sqnr_db": None,
    "facts": {},
    "search": None,
}


def made(tmp_path: Path, name: str) -> tuple[Registry, dict[str, Any], Path]:
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
    reference = ModelRef.of(registry.variant(variant.id)).to_json()
    return registry, {"model": reference}, job


@pytest.mark.parametrize("name", ["../../../../victim/x", "/victim/x", "a\nb", "digits"])
def test_quantizing_a_model_of_any_name_writes_into_the_store(tmp_path: Path, name: str) -> None:
    registry, arguments, job = made(tmp_path, name.replace("/victim", f"{tmp_path}/victim"))
    (tmp_path / "victim").mkdir()
    result = quantized(registry, arguments, dict(RESULT), job)
    path = Path(result["output"])
    registry.close()
    assert path.parent.parent.resolve() == registry.store.resolve()
    assert path.suffix == ".onnx"
    assert not list((tmp_path / "victim").iterdir())


@pytest.mark.parametrize("way", ["{}", "../../../secret"])
@pytest.mark.parametrize("key", ["file", "graph", "details"])
def test_a_worker_cannot_have_other_files_kept(tmp_path: Path, key: str, way: str) -> None:
    registry, arguments, job = made(tmp_path, "digits")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with pytest.raises(Refused, match="outside its folder"):
        quantized(registry, arguments, {**RESULT, key: way.format(secret)}, job)
    variants = len(registry.variants())
    registry.close()
    assert variants == 1
    assert secret.read_text() == "secret"
    assert secret.stat().st_mode & 0o200
