"""Folders of transformers with small random weights, converted by the real command."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import onnx
import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_conversion import CONVERTING, converted
from tests.integration.toolchains.test_toolchains import install
from tests.rigs import hub

TEXT = {"input_ids": ["batch", "length"], "attention_mask": ["batch", "length"]}
TYPED = {**TEXT, "token_type_ids": ["batch", "length"]}
PICTURE = {"pixel_values": ["batch"]}
SOUND = {"input_values": ["batch", "length"]}


@pytest.fixture(scope="module")
def make(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``make(name)``: the folder of a model, written by transformers itself."""
    install(kept, "pytorch")
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_pytorch" / "bin" / "python"
    folder = tmp_path_factory.mktemp("hub")

    def made(name: str) -> Path:
        path = folder / name
        if not path.exists():
            words = [python, "-W", "ignore", "-c", hub.MAKE, name, path]
            subprocess.run(words, check=True, capture_output=True)
        return path

    return made


def changed(folder: Path, name: str, place: Path, **settings: Any) -> Path:
    """Return a copy of a folder with other settings in one of its JSON files."""
    shutil.copytree(folder, place)
    content = json.loads((place / name).read_text())
    (place / name).write_text(json.dumps({**content, **settings}))
    return place


@pytest.mark.parametrize(
    ("name", "dynamic", "outputs"),
    [
        ("BertModel", TYPED, ["last_hidden_state", "pooler_output"]),
        ("DistilBertForMaskedLM", TEXT, ["logits"]),
        ("RobertaForQuestionAnswering", TEXT, ["start_logits", "end_logits"]),
        ("MPNetModel", TEXT, ["last_hidden_state", "pooler_output"]),
        ("AlbertForTokenClassification", TYPED, ["logits"]),
        ("ElectraForSequenceClassification", TYPED, ["logits"]),
        ("DebertaV2ForSequenceClassification", TEXT, ["logits"]),
        ("ConvNextForImageClassification", PICTURE, ["logits"]),
        ("SegformerForSemanticSegmentation", PICTURE, ["logits"]),
        ("DetrForObjectDetection", PICTURE, ["logits", "pred_boxes"]),
        ("Wav2Vec2ForCTC", SOUND, ["logits"]),
    ],
)
def test_an_encoder_keeps_its_numbers_its_names_and_its_open_sizes(
    kept: Studio, make: Any, name: str, dynamic: dict[str, list[str]], outputs: list[str]
) -> None:
    found = converted(kept, make(name))
    (check,) = found["checks"]
    assert check["against"].startswith("Transformers 5.")
    assert check["samples"] == 7
    assert check["max_error"] < 1e-4
    assert found["dynamic"] == dynamic
    assert found["warnings"] == []
    summary = kept.ok("inspect", found["output"])
    assert [one["name"] for one in summary["outputs"]] == outputs


def test_what_the_folder_knows_is_in_the_project_and_the_file(
    kept: Studio, make: Any, tmp_path: Path
) -> None:
    out = tmp_path / "vit.onnx"
    (tmp_path / "labels.txt").write_text("mine\n")
    done = kept.run("convert", make("ViTForImageClassification"), "--out", out, timeout=CONVERTING)
    assert done.code == 0, done.err
    assert "project   labels.txt and preprocess.toml" in done.out
    assert f"written   {tmp_path / 'preprocess.toml'}" in done.out
    assert (tmp_path / "labels.txt").read_text() == "mine\n"
    props = {one.key: one.value for one in onnx.load(out).metadata_props}
    assert props["license"] == "apache-2.0"
    project = kept.ok("project", "show", "ViTForImageClassification")
    assert Path(project["labels"]).read_text() == "bad\ngood\nfine\n"
    assert "height = 32\n" in Path(project["preprocess"]).read_text()
    where = {one["what"]: one["where"] for one in project["found"]}
    assert where["labels"] == where["preprocess"] == "the converted file"
    assert project["issues"] == []


def test_one_file_of_weights_is_converted_with_its_neighbours(kept: Studio, make: Any) -> None:
    found = converted(kept, make("BertForSequenceClassification") / "model.safetensors")
    assert found["dynamic"] == TYPED
    assert found["checks"][0]["max_error"] < 1e-4
    assert found["metadata"]["license"] == "apache-2.0"
    assert Path(found["carried"]["labels"]).read_text() == "bad\ngood\nfine\n"


def test_a_folder_with_an_onnx_file_gives_that_file(
    kept: Studio, make: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "whole"
    shutil.copytree(make("ViTForImageClassification"), folder)
    made = converted(kept, make("ViTForImageClassification"))
    (folder / "onnx").mkdir()
    shutil.copyfile(made["output"], folder / "onnx" / "model.onnx")
    found = converted(kept, folder)
    assert found["format"] == "hugging-face-onnx"
    assert found["checks"] == []
    assert sorted(found["carried"]) == ["labels", "preprocess"]
    assert "which was taken as it is" in found["warnings"][0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_size": 48, "intermediate_size": 96}, "have other sizes for"),
        ({"num_hidden_layers": 3}, "they lack encoder.layer.2."),
        ({"architectures": ["BertForNothing"]}, "BertForNothing is no class of bert"),
        ({"model_type": "bertie"}, "does not know the architecture 'bertie'"),
    ],
)
def test_a_configuration_that_does_not_fit_is_named(
    kept: Studio, make: Any, tmp_path: Path, settings: dict[str, Any], words: str
) -> None:
    folder = changed(make("BertModel"), "config.json", tmp_path / "wrong", **settings)
    refused = kept.run("convert", folder, timeout=CONVERTING)
    assert refused.code == 1
    assert words in refused.err


def test_weights_without_a_use_are_named(kept: Studio, make: Any, tmp_path: Path) -> None:
    settings = {"num_hidden_layers": 1}
    folder = changed(make("BertModel"), "config.json", tmp_path / "less", **settings)
    found = converted(kept, folder)
    assert "Weights that BertModel has no use for: encoder.layer.1." in found["warnings"][0]


def test_what_writes_text_is_refused(kept: Studio, make: Any) -> None:
    refused = kept.run("convert", make("GPT2LMHeadModel"), timeout=CONVERTING)
    assert refused.code == 1
    assert "GPT2LMHeadModel writes its answer token by token" in refused.err
