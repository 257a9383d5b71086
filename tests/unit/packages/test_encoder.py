"""Encoders of texts in bundles: what their files give, and what is no encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.packages.bundle import Bundle
from studio.packages.record import numbering
from studio.packages.work import package
from studio.registry import Artifact, ModelRef, Registry, VariantRecord
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.shared.errors import LoadError
from tests.rigs.bundles import QuietJob, package_options
from tests.rigs.small_encoder import MOST, WIDTH, tokenizer, write_encoder, write_table


def packaged(folder: Path, model: Path) -> tuple[Bundle, tuple[str, ...]]:
    """Package a model; return its bundle and the notes."""
    ref = ModelRef(str(model), "0" * 64, 1, 1, "encoder", "original", "onnx", "fp32")
    result = package(package_options(ref), QuietJob(folder / "job"))
    return Bundle.open(Path(result.bundle)), result.notes


def record(folder: Path, **settings: Any) -> dict[str, Any]:
    """Return the encoder in the manifest of a packaged model."""
    bundle, _ = packaged(folder, write_encoder(folder / "model", **settings))
    found: dict[str, Any] = bundle.raw["encoder"]
    return found


def test_the_record_of_a_sentence_encoder(tmp_path: Path) -> None:
    assert record(tmp_path) == {
        "tokenizer": "tokenizer.json",
        "output": "last_hidden_state",
        "pooling": ["mean"],
        "normalize": True,
        "most": MOST,
        "width": WIDTH,
        "dimensions": [],
    }


def test_other_poolings(tmp_path: Path) -> None:
    found = record(tmp_path, modes=("cls_token", "max_tokens"), normalize=False)
    assert found["pooling"] == ["cls", "max"]
    assert found["normalize"] is False
    assert found["width"] == 2 * WIDTH


def test_shorter_vectors_of_matryoshka_models(tmp_path: Path) -> None:
    assert record(tmp_path / "a", is_matryoshka=True)["dimensions"] == [0]
    found = record(tmp_path / "b", matryoshka_dimensions=[2, 4, 99, "x"])
    assert found["dimensions"] == [2, 4]


def test_the_tokenizer_travels_and_samples_are_sentences(tmp_path: Path) -> None:
    model = write_encoder(tmp_path / "model")
    bundle, _ = packaged(tmp_path, model)
    assert json.loads((bundle.folder / "tokenizer.json").read_text()) == tokenizer()
    served = load(from_bundle(bundle.folder), threads=1, batch=1)
    assert served.encoder is not None
    assert served.encoder.tokens_of("the pump") == [2, 5, 6, 3]


def test_without_modules_the_mean_is_taken_and_noted(tmp_path: Path) -> None:
    model = write_encoder(tmp_path / "model")
    (model.parent / "modules.json").unlink()
    bundle, notes = packaged(tmp_path, model)
    assert bundle.raw["encoder"]["pooling"] == ["mean"]
    assert "no modules.json" in " ".join(notes)


def test_a_model_without_a_tokenizer_is_none(tmp_path: Path) -> None:
    model = write_encoder(tmp_path / "model")
    (model.parent / "tokenizer.json").unlink()
    bundle, notes = packaged(tmp_path, model)
    assert "encoder" not in bundle.raw
    assert [one for one in notes if "Drift" not in one] == []


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("modules.json", [{"path": "2_Dense", "type": "models.Dense"}], "module 'Dense'"),
        ("1_Pooling/config.json", {"pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        ("1_Pooling/config.json", {"pooling_mode": "attention"}, "attention"),
        ("tokenizer.json", {"model": 7}, "no tokenizer"),
    ],
)
def test_what_is_not_known_is_noted(
    tmp_path: Path, file: str, content: object, reason: str
) -> None:
    model = write_encoder(tmp_path / "model")
    (model.parent / file).write_text(json.dumps(content))
    bundle, notes = packaged(tmp_path, model)
    assert "encoder" not in bundle.raw
    assert reason in " ".join(notes)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"tokenizer": "../secret"}, "no file of the bundle"),
        ({"pooling": ["best"]}, "pooling is one of"),
        ({"most": 0}, "most is from"),
        ({"width": 1 << 40}, "width is from"),
        ({"dimensions": [-1]}, "dimensions are from"),
        ({"output": "scores"}, "lacks the output"),
        ({"tokenizer": "other.json"}, "is missing"),
        ({"most": "many"}, "other keys or types"),
    ],
)
def test_a_damaged_record_is_refused(
    tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    bundle, _ = packaged(tmp_path, write_encoder(tmp_path / "model"))
    path = bundle.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["encoder"].update(changed)
    path.write_text(json.dumps(manifest))
    with pytest.raises(LoadError, match=reason):
        load(from_bundle(bundle.folder), threads=1, batch=1)


def test_another_tokenizer_needs_its_package_on_the_target(tmp_path: Path) -> None:
    model = write_encoder(tmp_path / "model")
    other = tokenizer(model={"type": "BPE", "vocab": {"a": 0}, "merges": []})
    (model.parent / "tokenizer.json").write_text(json.dumps(other))
    bundle, _ = packaged(tmp_path, model)
    assert "tokenizers" in bundle.requirements
    assert bundle.raw["encoder"]["width"] == WIDTH


def test_a_variant_has_the_tokenizer_of_its_original(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    folder = registry.adopt(write_encoder(tmp_path / "model").parent)
    model = registry.add_model("encoder")

    def add(name: str, artifact: Artifact, parent: int | None = None) -> VariantRecord:
        return registry.add_variant(
            model, name, artifact, format="onnx", precision="fp32", parent=parent
        )

    opened = Artifact(folder.digest, folder.path / "encoder.onnx", folder.size)
    first = add("fp32", opened)
    alone = registry.adopt(write_table(tmp_path / "made.onnx"))
    made = add("made", alone, first.id)
    other = add("other", alone)
    assert numbering(registry, ModelRef.of(first)).encoder == folder.path
    assert numbering(registry, ModelRef.of(made)).encoder == folder.path
    assert numbering(registry, ModelRef.of(other)).encoder is None
    registry.close()
