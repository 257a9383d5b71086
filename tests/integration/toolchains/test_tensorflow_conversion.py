"""TensorFlow in its own environment: SavedModels, frozen graphs and TFLite of random weights."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_conversion import CONVERTING, converted
from tests.integration.toolchains.test_toolchains import install

MAKE = """
import os
import sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy
import tensorflow as tf

keras.utils.set_random_seed(0)
folder = sys.argv[1]
layers = keras.layers
at = lambda name: os.path.join(folder, name)

def mobile(size, classes):
    net = keras.applications.MobileNetV2((size, size, 3), 0.35, weights=None, classes=classes)
    # Without statistics of its values, a deep net of random weights answers with a constant.
    for layer in net.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    net(numpy.random.rand(8, size, size, 3).astype("float32"), training=True)
    return net

mobile(64, 10).export(at("mobile"), verbose=False)
tokens = [
    keras.Input((None, 5), name="steps"), layers.LSTM(8), layers.Dense(3, name="scores"),
]
keras.Sequential(tokens).export(at("lstm"), verbose=False)

class Pair(tf.Module):
    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.random.normal((8, 3)))

    @tf.function(input_signature=[
        tf.TensorSpec((None, None), tf.int32, name="ids"),
        tf.TensorSpec((None, 4), tf.float32, name="extra"),
    ])
    def both(self, ids, extra):
        return {
            "zeta": tf.reduce_mean(tf.one_hot(ids, 8), 1) @ self.weight,
            "alpha": tf.nn.relu(extra),
        }

pair = Pair()
tf.saved_model.save(pair, at("pair"), signatures=pair.both)
tf.saved_model.save(pair, at("several"), signatures={"first": pair.both, "other": pair.both})

class Python(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def call(self, x):
        return tf.ensure_shape(tf.numpy_function(lambda one: one, [x], tf.float32), (None, 4))

code = Python()
tf.saved_model.save(code, at("python"), signatures=code.call)

def frozen(name, build):
    graph = tf.Graph()
    with graph.as_default():
        build()
    with open(at(name), "wb") as file:
        file.write(graph.as_graph_def().SerializeToString())

def heads():
    x = tf.compat.v1.placeholder(tf.float32, [None, 8], name="x")
    tf.nn.softmax(x @ tf.constant(numpy.random.randn(8, 4), tf.float32), name="probabilities")
    tf.split(x, 2, axis=1, name="halves")

def place(shape=None):
    return tf.compat.v1.placeholder(tf.float32, shape, name="x")

frozen("heads.pb", heads)
frozen("free.pb", lambda: tf.nn.relu(place(), name="y"))
frozen("svd.pb", lambda: tf.linalg.svd(place([2, 4, 4]), name="y"))

net = keras.Sequential([
    keras.Input((16, 16, 3), name="image"), layers.Conv2D(48, 3, activation="relu"),
    layers.DepthwiseConv2D(3), layers.GlobalAveragePooling2D(),
    layers.Dense(64, activation="relu"), layers.Dense(6, name="scores"),
])

def lite(name, kind, full=False):
    make = tf.lite.TFLiteConverter.from_keras_model(net)
    if kind != "float":
        make.optimizations = [tf.lite.Optimize.DEFAULT]
    if full:
        some = lambda: ([numpy.random.rand(1, 16, 16, 3).astype("f4")] for _ in range(8))
        make.representative_dataset = some
        make.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        make.inference_input_type = make.inference_output_type = tf.int8
    with open(at(name), "wb") as file:
        file.write(make.convert())

lite("float.tflite", "float")
lite("range.tflite", "int8")
lite("whole.tflite", "int8", full=True)
"""


@pytest.fixture(scope="module")
def models(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, written by TensorFlow itself."""
    install(kept, "tensorflow")
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_tensorflow" / "bin" / "python"
    folder = tmp_path_factory.mktemp("models")
    script = folder / "make.py"
    script.write_text(MAKE)
    subprocess.run([python, "-W", "ignore", script, folder], check=True, capture_output=True)
    return folder


def names(studio: Studio, found: dict[str, Any], side: str) -> list[tuple[str, list[Any]]]:
    summary = studio.ok("inspect", found["output"])
    return [(one["name"], one["shape"]) for one in summary[side]]


@pytest.mark.parametrize(
    ("name", "dynamic", "outputs"),
    [
        ("mobile", {"keras_tensor": ["batch"]}, [("output_0", ["batch", 10])]),
        ("lstm", {"steps": ["batch", "length"]}, [("output_0", ["batch", 3])]),
        (
            "pair",
            {"extra": ["batch"], "ids": ["batch", "length"]},
            [("alpha", ["batch", 4]), ("zeta", ["batch", 3])],
        ),
        (
            "heads.pb",
            {"x": ["batch"]},
            [
                ("probabilities", ["batch", 4]),
                ("halves_0", ["batch", 4]),
                ("halves_1", ["batch", 4]),
            ],
        ),
    ],
)
def test_a_graph_keeps_its_numbers_names_and_open_sizes(
    kept: Studio, models: Path, name: str, dynamic: dict[str, list[str]], outputs: list[Any]
) -> None:
    found = converted(kept, models / name)
    (check,) = found["checks"]
    assert check["against"] == "TensorFlow 2.21.0"
    assert check["max_error"] < 1e-4
    assert check["argmax_equal"] == 1.0
    assert found["dynamic"] == dynamic
    assert found["warnings"] == []
    assert names(kept, found, "outputs") == outputs


def test_tflite_keeps_its_numbers(kept: Studio, models: Path) -> None:
    assert kept.ok("inspect", models / "float.tflite")["format"] == "tflite"
    found = converted(kept, models / "float.tflite")
    (check,) = found["checks"]
    assert check["max_error"] < 1e-4
    assert check["limit"] == 1e-3
    assert found["dynamic"] == {"image": ["batch"]}
    assert names(kept, found, "outputs") == [("output_0", ["batch", 6])]


@pytest.mark.parametrize(("name", "limit"), [("whole.tflite", 0.03), ("range.tflite", 0.05)])
def test_quantized_tflite_differs_by_its_steps(
    kept: Studio, models: Path, name: str, limit: float
) -> None:
    found = converted(kept, models / name)
    (check,) = found["checks"]
    assert check["limit"] is None
    assert check["max_error"] < limit
    assert found["warnings"] == []
    assert found["dynamic"] == {"image": ["batch"]}


def refused(studio: Studio, path: Path, *options: str) -> str:
    done = studio.run("convert", path, *options, timeout=CONVERTING)
    assert done.code == 1
    assert "Traceback" not in done.err
    return done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("several", "it has no signature serving_default and not exactly one other: first, other"),
        ("python", "its operator PyFunc (node 'PyFunc') runs code"),
        ("free.pb", "it has no shape of its input x; give it, such as --input x=1,224,224,3"),
        ("svd.pb", "ONNX has no form of its operator Svd (node 'y')"),
    ],
)
def test_the_reason_is_one_sentence(kept: Studio, models: Path, name: str, words: str) -> None:
    assert words in refused(kept, models / name)


def test_a_missing_shape_is_given(kept: Studio, models: Path) -> None:
    found = converted(kept, models / "free.pb", "--input", "1,4,4,3", "--dynamic", "x=batch")
    assert found["checks"][0]["max_error"] < 1e-4
    assert found["dynamic"] == {"x": ["batch"]}


def test_variables_that_are_cut_off(kept: Studio, models: Path, tmp_path: Path) -> None:
    path = shutil.copytree(models / "mobile", tmp_path / "cut")
    (weights,) = path.glob("variables/variables.data*")
    weights.write_bytes(weights.read_bytes()[:1000])
    assert "its variables are missing or damaged" in refused(kept, path)


def test_the_graph_alone_is_not_the_model(kept: Studio, models: Path) -> None:
    text = refused(kept, models / "mobile" / "saved_model.pb")
    assert "name the folder that it is in" in text
