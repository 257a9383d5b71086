"""The pipeline of a model that was converted with consent to run the code of its file."""

from __future__ import annotations

from pathlib import Path

from studio.conversion.step import CODE_DIGEST
from studio.registry import file_digest
from studio.workspace import Workspace


def test_consent_is_for_the_file_as_it_was(studio_home: Path, tmp_path: Path) -> None:
    source, model = tmp_path / "wine.joblib", tmp_path / "wine.onnx"
    source.write_bytes(b"a pickle")
    model.write_bytes(b"a model")
    options = {"model": str(source), CODE_DIGEST: file_digest(source)}
    with Workspace.open(studio_home) as workspace:
        registry = workspace.registry
        variant = registry.add_variant(
            registry.add_model("wine"),
            "fp32",
            registry.adopt(model),
            format="onnx",
            precision="fp32",
            parent=None,
            step="convert",
            options=options,
            summary={},
            graph=None,
        )
        assert "run_code = true" in workspace.project_runs.text(variant)
        source.write_bytes(b"another pickle")
        assert "run_code" not in workspace.project_runs.text(variant)
