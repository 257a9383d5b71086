"""PyTorch's own exporter in its own environment: nets of torchvision with random weights."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

CONVERTING = 900
MAKE = """
import sys
import torch
import torchvision

class Unsupported(torch.nn.Module):
    def forward(self, x):
        return torch.linalg.svd(x)[1]

class Tokens(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = torch.nn.Embedding(50, 8), torch.nn.Linear(8, 3)
    def forward(self, ids, mask):
        hidden = self.embed(ids) * mask[..., None]
        return {"logits": self.head(hidden.mean(1)), "hidden": hidden}

class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 32, 8, 8)
        self.attention = torch.nn.MultiheadAttention(32, 4, batch_first=True)
    def forward(self, x):
        rows = self.conv(x).flatten(2).transpose(1, 2)
        return self.attention(rows, rows, rows)[0].mean(1)

torch.manual_seed(0)
name, path = sys.argv[1:]
batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
if name == "unsupported":
    made = torch.export.export(Unsupported(), (torch.rand(3, 4, 4),))
elif name == "tokens":
    example = (torch.zeros(2, 5, dtype=torch.long), torch.ones(2, 5))
    sizes = ({0: batch, 1: length}, {0: batch, 1: length})
    made = torch.export.export(Tokens().eval(), example, dynamic_shapes=sizes)
elif name == "attention-script":
    torch.jit.script(Attention().eval()).save(path)
    sys.exit()
elif name == "attention-traced-script":
    traced = torch.jit.trace(Attention().eval(), torch.rand(1, 3, 48, 64), check_trace=False)
    traced.save(path)
    sys.exit()
elif name == "unsupported-script":
    torch.jit.script(Unsupported()).save(path)
    sys.exit()
else:
    kind, _, how = name.partition("-")
    net = getattr(torchvision.models, kind)(weights=None).eval()
    # Without statistics of its values, a deep net of random weights answers with nearly zero.
    for one in net.modules():
        if isinstance(one, torch.nn.BatchNorm2d):
            one.momentum = None
            one.reset_running_stats()
            one.train()
    with torch.no_grad():
        net(torch.randn(8, 3, 64, 64))
    net.eval()
    example = (torch.rand(2, 3, 64, 64),)
    if how == "script":
        torch.jit.script(net).save(path)
        sys.exit()
    made = torch.export.export(net, example, dynamic_shapes=None if how else ({0: batch},))
torch.export.save(made, path)
"""


@pytest.fixture(scope="module")
def make(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``make(name)``: the file of a model, written by PyTorch itself."""
    install(kept, "pytorch")
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_pytorch" / "bin" / "python"
    folder = tmp_path_factory.mktemp("models")
    maker = folder / "maker.py"
    maker.write_text(MAKE)

    def made(name: str) -> Path:
        path = folder / f"{name}.{'pt' if name.endswith('script') else 'pt2'}"
        subprocess.run([python, "-W", "ignore", maker, name, path], check=True)
        return path

    return made


def converted(studio: Studio, path: Path, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = studio.ok("convert", path, *options, timeout=CONVERTING)
    return found


@pytest.mark.parametrize(
    "name",
    ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "efficientnet_b0"],
)
def test_a_classifier_keeps_its_numbers_and_its_open_batch(
    kept: Studio, make: Any, name: str
) -> None:
    found = converted(kept, make(name))
    (check,) = found["checks"]
    assert check["against"] == "PyTorch 2.13.0+cpu"
    assert check["samples"] == 5
    assert check["max_error"] < 1e-4
    assert check["argmax_equal"] == 1.0
    assert found["dynamic"] == {"x": ["batch"]}
    assert found["warnings"] == []


def test_names_of_outputs_and_of_open_axes_are_kept(kept: Studio, make: Any) -> None:
    found = converted(kept, make("tokens"))
    assert found["dynamic"] == {"ids": ["batch", "length"], "mask": ["batch", "length"]}
    summary = kept.ok("inspect", found["output"])
    assert [(one["name"], one["shape"]) for one in summary["outputs"]] == [
        ("logits", ["batch", 3]),
        ("hidden", ["batch", "length", 8]),
    ]


def test_a_fixed_batch_is_named_and_can_be_opened(kept: Studio, make: Any) -> None:
    path = make("squeezenet1_1-fixed")
    found = converted(kept, path)
    assert found["dynamic"] == {}
    assert "--dynamic x=batch tries to open the batch" in found["warnings"][0]
    for shape in ((), ("--input", "2,3,64,64")):  # a shape without a name, for the same input
        found = converted(kept, path, *shape, "--dynamic", "x=batch")
        assert found["dynamic"] == {"x": ["batch"]}
    assert found["checks"][0]["max_error"] < 1e-4


@pytest.mark.parametrize("name", ["attention-script", "attention-traced-script"])
def test_attention_in_torchscript_has_other_exporters(kept: Studio, make: Any, name: str) -> None:
    found = kept.ok("convert", make(name), "--input", "x=1,3,48,64", timeout=CONVERTING)
    (check,) = found["checks"]
    assert check["max_error"] < 1e-5
    assert any("the sizes of --input alone" in text for text in found["warnings"])


def test_torchscript_that_no_exporter_takes_is_told_the_way(kept: Studio, make: Any) -> None:
    path = make("unsupported-script")
    ended = kept.run("convert", path, "--input", "x=3,4,4", timeout=CONVERTING)
    assert ended.code == 1
    assert "torch.export.save(torch.export.export(model, (x,)), 'model.pt2')" in ended.err
    assert "Error" not in ended.err


def test_torchscript_needs_a_shape(kept: Studio, make: Any) -> None:
    path = make("resnet18-script")
    refused = kept.run("convert", path, timeout=CONVERTING)
    assert refused.code == 1
    assert "TorchScript records no shapes of its inputs" in refused.err
    found = converted(kept, path, "--input", "1,3,64,64")
    assert found["checks"][0]["max_error"] < 1e-4
    assert found["dynamic"] == {"x": ["batch"]}


def test_an_unsupported_operator_is_named_with_its_line(kept: Studio, make: Any) -> None:
    refused = kept.run("convert", make("unsupported"), timeout=CONVERTING)
    assert refused.code == 1
    assert "no form of its operator aten._linalg_svd, from " in refused.err
    assert "torch.linalg.svd(x)[1]" in refused.err


def test_a_file_that_is_cut_off(kept: Studio, make: Any, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt2"
    path.write_bytes(make("tokens").read_bytes()[:5000])
    refused = kept.run("convert", path, timeout=CONVERTING)
    assert refused.code == 1
    assert "cut.pt2 cannot be loaded" in refused.err


KERAS = """
import os
import sys
os.environ["KERAS_BACKEND"] = "torch"
import keras

keras.utils.set_random_seed(0)
name, path = sys.argv[1:]
layers = keras.layers

@keras.saving.register_keras_serializable(package="mine")
class Odd(layers.Layer):
    def call(self, x):
        return x + 1

if name == "pictures":
    made = keras.Sequential([
        keras.Input((None, None, 3), name="image"),
        layers.Rescaling(1 / 255),
        layers.Conv2D(8, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax", name="scores"),
    ])
elif name == "mobile":
    made = keras.applications.MobileNetV2(input_shape=(64, 64, 3), weights=None, classes=10)
    # Without statistics of its values, a deep net of random weights answers with a constant.
    for layer in made.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    made(keras.random.normal((8, 64, 64, 3)), training=True)
elif name == "pair":
    ids, extra = keras.Input((None,), dtype="int32", name="ids"), keras.Input((4,), name="extra")
    hidden = layers.GlobalAveragePooling1D()(layers.Embedding(50, 8)(ids))
    both = layers.Concatenate()([hidden, extra])
    heads = [layers.Dense(3, name="first")(hidden), layers.Dense(2, name="second")(both)]
    made = keras.Model([ids, extra], heads)
elif name == "recurrent":
    made = keras.Sequential([
        keras.Input((None,), name="ids"), layers.Embedding(50, 8), layers.GRU(8), layers.Dense(3)
    ])
else:
    layer = layers.Lambda(lambda x: x * 2) if name == "lambda" else Odd()
    made = keras.Sequential([keras.Input((4,)), layer])
made.save(path)
"""


@pytest.fixture(scope="module")
def keras(make: Any, kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """``keras(name, suffix)``: the file of a model, written by Keras itself."""
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_pytorch" / "bin" / "python"
    folder = tmp_path_factory.mktemp("keras")

    def made(name: str, suffix: str = "keras") -> Path:
        path = folder / f"{name}.{suffix}"
        subprocess.run([python, "-W", "ignore", "-c", KERAS, name, path], check=True)
        return path

    return made


def test_a_recurrent_layer_fixes_the_length_and_no_torch_talks(kept: Studio, keras: Any) -> None:
    found = converted(kept, keras("recurrent"))
    assert found["dynamic"] == {"ids": ["batch"]}
    assert found["checks"][0]["max_error"] < 1e-5
    assert "--input ids=... sets others" in found["warnings"][0]


@pytest.mark.parametrize(
    ("name", "suffix", "dynamic"),
    [
        ("pictures", "keras", {"image": ["batch", "height", "width"]}),
        ("pictures", "h5", {"image": ["batch", "height", "width"]}),
        ("mobile", "keras", {"input_layer": ["batch"]}),
        ("pair", "keras", {"ids": ["batch", "length"], "extra": ["batch"]}),
    ],
)
def test_a_keras_model_keeps_its_numbers_and_its_open_sizes(
    kept: Studio, keras: Any, name: str, suffix: str, dynamic: dict[str, list[str]]
) -> None:
    found = converted(kept, keras(name, suffix))
    (check,) = found["checks"]
    assert check["against"] == "Keras 3.15.1"
    assert check["max_error"] < 1e-4
    assert check["argmax_equal"] == 1.0
    assert found["dynamic"] == dynamic
    assert found["warnings"] == []


def test_a_keras_model_that_scales_its_pixels_takes_them_raw(kept: Studio, keras: Any) -> None:
    found = converted(kept, keras("pictures"))
    text = Path(found["carried"]["preprocess"]).read_text()
    assert {'color = "RGB"', "scale = 1.0", 'layout = "NHWC"'} <= set(text.splitlines())
    assert converted(kept, keras("pair"))["carried"] == {}


@pytest.mark.parametrize(
    ("name", "suffix", "words"),
    [
        ("lambda", "keras", "its Lambda layer is Python code, which is not run here"),
        ("lambda", "h5", "its Lambda layer is Python code, which is not run here"),
        ("custom", "keras", "the code of Odd is not in the file"),
    ],
)
def test_code_in_a_keras_file_is_not_run(
    kept: Studio, keras: Any, name: str, suffix: str, words: str
) -> None:
    refused = kept.run("convert", keras(name, suffix), timeout=CONVERTING)
    assert refused.code == 1
    assert words in refused.err


HOSTILE = """
import io
import os
import sys
import zipfile
import torch

class Evil:
    def __reduce__(self):
        return os.system, (f"touch {sys.argv[3]} /tmp/escaped $HOME/escaped",)

source, path, _ = sys.argv[1:]
buffer = io.BytesIO()
torch.save(Evil(), buffer)
with zipfile.ZipFile(source) as whole, zipfile.ZipFile(path, "w") as made:
    for name in whole.namelist():
        is_pickle = "sample_inputs" in name
        made.writestr(name, buffer.getvalue() if is_pickle else whole.read(name))
"""


def test_a_pickle_in_an_export_reaches_nothing(kept: Studio, make: Any, tmp_path: Path) -> None:
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_pytorch" / "bin" / "python"
    path, marker = tmp_path / "evil.pt2", tmp_path / "escaped"
    words = [python, "-W", "ignore", "-c", HOSTILE, make("tokens"), path, marker]
    subprocess.run(words, check=True)
    done = kept.run("convert", path, timeout=CONVERTING)
    assert done.code in (0, 1)
    assert "Traceback" not in done.err
    escaped = (marker, Path("/tmp/escaped"), kept.user / "escaped")
    assert not any(place.exists() for place in escaped)
