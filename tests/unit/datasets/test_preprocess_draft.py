"""A first preprocess.toml out of an input's shape and type."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from studio.api import InvalidData, TensorType, Value
from studio.datasets import open_dataset
from studio.datasets.preprocess import Preprocess
from studio.datasets.preprocess_draft import draft, draft_of, is_picture


def image(shape: tuple[int | str | None, ...], dtype: str = "float32") -> Value:
    return Value("image", TensorType(dtype, shape))


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (image((1, 3, 32, 48)), {"height": 32, "width": 48, "color": "RGB", "layout": "NCHW"}),
        (image(("n", 1, 8, 8)), {"height": 8, "width": 8, "color": "GRAY", "layout": "NCHW"}),
        (image((1, 320, 320, 3), "uint8"), {"color": "RGB", "layout": "NHWC", "scale": 1.0}),
        (image((None, 3, "h", "w")), {"height": 224, "width": 224}),
    ],
)
def test_sizes_layout_and_type_are_the_models_own(value: Value, wanted: dict[str, object]) -> None:
    found = tomllib.loads(draft(value))
    assert wanted.items() <= found.items()
    assert found["dtype"] == (value.type.dtype if value.type else "")
    assert Preprocess.from_json(found).channels in (1, 3)


@pytest.mark.parametrize(
    "value",
    [image((1, 64)), image((1, 7, 32, 32)), image((1, 3, 8, 8), "string"), Value("image", None)],
)
def test_what_holds_no_pictures_is_refused(value: Value) -> None:
    assert not is_picture(value)
    with pytest.raises(InvalidData, match="no batch of pictures"):
        draft(value)


def test_a_model_of_several_inputs_takes_no_pictures() -> None:
    with pytest.raises(InvalidData, match="2 inputs"):
        draft_of([image((1, 3, 8, 8))] * 2)


def test_a_name_stays_within_its_comment() -> None:
    value = Value('x\nresize = "none"\n#', TensorType("float32", (1, 3, 8, 8)))
    assert tomllib.loads(draft(value))["resize"] == "stretch"


def test_the_hint_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's $HOME"
    folder.mkdir()
    Image.new("RGB", (64, 48), "red").save(folder / "a.png")
    value = image((1, 3, 32, 48))
    with pytest.raises(InvalidData, match=r"no preprocess\.toml") as caught:
        open_dataset(folder, [value])
    line = caught.value.hint.partition("checked: ")[2]
    assert "\n" not in line
    subprocess.run(["sh", "-c", line], check=True)
    (sample,) = open_dataset(folder, [value])
    assert sample.feeds["image"].shape == (1, 3, 32, 48)


def test_pictures_for_a_model_that_takes_none_are_refused_as_such(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(tmp_path / "a.png")
    with pytest.raises(InvalidData, match="it takes no pictures"):
        open_dataset(tmp_path, [image((1, 64))])
