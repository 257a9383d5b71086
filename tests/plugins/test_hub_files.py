"""Folders of Hugging Face before a library reads them: bounds, labels, licence, pictures."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from studio_pytorch.tool_hub_carried import labels_of, metadata_of, preprocess_of
from studio_pytorch.tool_hub_files import FolderError, HubFolder, numbers_of
from tests.e2e.hostile_files import hubs
from tests.e2e.hostile_files.kinds import Hostile, Payload

OF_FILES = ("leads out", "too deeply", "JSON object", "fit the file", "in the folder", "missing")
HOSTILE = [one for one in hubs.FILES if any(word in one.words for word in OF_FILES)]


def read(path: Path) -> int:
    """Read what the converter reads before it builds a model."""
    folder = HubFolder(str(path))
    folder.json("config.json")
    folder.text("README.md")
    return sum(map(numbers_of, folder.weights()))


@pytest.mark.parametrize("file", HOSTILE, ids=lambda one: one.name)
def test_what_lies_or_leads_out_is_refused(tmp_path: Path, file: Hostile) -> None:
    with pytest.raises(FolderError) as refused:
        read(file.make(tmp_path, Payload(tmp_path / "canary")))
    assert file.words in str(refused.value)


def safetensors(*shapes: tuple[int, ...]) -> bytes:
    header, at = {}, 0
    for number, shape in enumerate(shapes):
        size = 4 * (shape[0] * shape[1])
        offsets = [at, at + size]
        header[f"w{number}"] = {"dtype": "F32", "shape": list(shape), "data_offsets": offsets}
        at += size
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(at)


def test_the_numbers_of_all_shards_are_counted(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "a.safetensors").write_bytes(safetensors((2, 3), (4, 5)))
    assert read(tmp_path) == 26
    assert read(tmp_path / "a.safetensors") == 26
    (tmp_path / "b.safetensors").write_bytes(safetensors((1, 1)))
    with pytest.raises(FolderError, match="has no weights called"):
        read(tmp_path)
    shard = (tmp_path / "b.safetensors").rename(tmp_path / "model-00002-of-00002.safetensors")
    index = {"weight_map": {"x": "a.safetensors", "y": shard.name, "z": "a.safetensors"}}
    assert read(shard) == 1
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert read(tmp_path) == read(shard) == 27


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(FolderError, match="is not a regular file"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("names", "labels", "warnings"),
    [
        ({"0": "cat", "1": "dog"}, ["cat", "dog"], 0),
        ({"1": "dog", "0": "cat"}, ["cat", "dog"], 0),
        ({"0": "LABEL_0", "1": "LABEL_1"}, [], 0),
        ({"1": "cat", "2": "dog"}, [], 1),
        ({"0": 1}, [], 1),
        ([], [], 0),
        (None, [], 0),
    ],
)
def test_labels(names: Any, labels: list[str], warnings: int) -> None:
    found, notes = labels_of({"id2label": names})
    assert (found, len(notes)) == (labels, warnings)


def test_the_licence_is_in_the_front_matter_or_the_configuration() -> None:
    readme = "---\nlanguage: en\nlicense: apache-2.0\nbase_model: 'a/b'\n---\nlicense: MIT\n"
    assert metadata_of({}, readme) == {"license": "apache-2.0", "base_model": "a/b"}
    assert metadata_of({"license": "mit", "architectures": ["BertModel"]}, "# A model") == {
        "license": "mit",
        "architecture": "BertModel",
    }
    assert metadata_of({}, "---\n" + "\n" * 60_000) == {}


VIT = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"height": 224, "width": 200},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 0.5,
    "do_normalize": True,
    "image_mean": [0.1, 0.2, 0.3],
    "image_std": [0.4, 0.5, 0.6],
}
STRETCHED = {"resize": "stretch", "height": 224, "width": 200, "antialias": True}
COLORS = {"scale": 0.5, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
ENDS = {"layout": "NCHW", "dtype": "float32"}
CLIP = {"image_processor_type": "CLIPImageProcessor", "size": 224, "crop_size": 200}
NEXT = {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 224, "crop_pct": 0.875}


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({}, {**STRETCHED, **COLORS}),
        ({"do_normalize": False}, {**STRETCHED, "scale": 0.5, "mean": [0.0], "std": [1.0]}),
        ({"do_rescale": False}, {**STRETCHED, **COLORS, "scale": 1.0}),
        ({"do_resize": False}, COLORS),
        ({"rescale_offset": True}, {**STRETCHED, **COLORS, "mean": [1.1, 1.2, 1.3]}),
        ({"do_flip_channel_order": True}, {**STRETCHED, **COLORS, "color": "BGR"}),
        ({"size": 96}, {**STRETCHED, **COLORS, "height": 96, "width": 96}),
        (
            {**CLIP, "do_center_crop": True},
            {
                **{"resize": "cover", "height": 224, "width": 224, "antialias": True},
                **{"crop_height": 200, "crop_width": 200},
                **COLORS,
            },
        ),
        (
            NEXT | {"image_processor_type": None},
            {
                **{"resize": "cover", "height": 256, "width": 256, "antialias": True},
                **{"crop_height": 224, "crop_width": 224},
                **COLORS,
            },
        ),
    ],
)
def test_pictures(changed: dict[str, Any], wanted: dict[str, Any]) -> None:
    found, warnings = preprocess_of({**VIT, **changed})
    assert found == {"color": "RGB", **wanted, **ENDS}
    assert warnings == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"resample": 3}, "bicubic"),
        ({"size": {"shortest_edge": 800, "longest_edge": 1333}}, "a longest side"),
        ({"do_pad": True}, "The step do_pad"),
        ({"size": {"height": 10**9, "width": 2}}, "are not valid"),
        ({"image_mean": "x"}, "are not valid"),
        ({"image_mean": [0.5] * 9}, "are not valid"),
        ({"size": None}, "are not valid"),
    ],
)
def test_pictures_that_cannot_be_expressed(changed: dict[str, Any], words: str) -> None:
    _, warnings = preprocess_of({**VIT, **changed})
    assert words in warnings[0]


def test_without_a_processor_there_are_no_settings() -> None:
    assert preprocess_of({}) == ({}, [])
    assert preprocess_of({"feature_size": 1, "sampling_rate": 16_000}) == ({}, [])
