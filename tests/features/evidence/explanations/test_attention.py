"""Attention of texts: rollout by hand, a small transformer, and models without attention."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from onnx import TensorProto, helper

from studio.api import InvalidModel
from studio.features.evidence.explanations.methods.attention import rollout
from studio.registry import ModelRef, VariantRecord
from tests.features.evidence.explanations.test_work import (
    HELDOUT,
    network,
    refused,
    run,
    token_counter,
)
from tests.unit.quantization.conftest import FakeJob

METHOD = "attention"


def transformer(folder: Path) -> ModelRef:
    """One layer that reads the token 3 alone, wherever it is; the second class counts it."""
    keys = numpy.zeros((10, 1), dtype=numpy.float32)
    keys[3] = 50
    nodes = [
        helper.make_node("Gather", ["keys", "ids"], ["k"]),
        helper.make_node("Gather", ["ones", "ids"], ["q"]),
        helper.make_node("Transpose", ["k"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "turned"], ["raw"]),
        helper.make_node("Div", ["raw", "two"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "k"], ["read"]),
        helper.make_node("ReduceMean", ["read"], ["y"], axes=[1], keepdims=0),
    ]
    constants = {
        "keys": keys,
        "ones": numpy.ones((10, 1), dtype=numpy.float32),
        "two": numpy.array(2, dtype=numpy.float32),
    }
    value = helper.make_tensor_value_info
    ends = value("ids", TensorProto.INT64, ["n", 5]), value("y", TensorProto.FLOAT, ["n", 1])
    return network(folder, nodes, *ends, constants)


def test_rollout_of_two_layers_by_hand() -> None:
    first = numpy.array([[[[1, 0], [1, 0]]]], dtype=numpy.float32)
    second = numpy.array([[[[0, 1], [0, 1]]]], dtype=numpy.float32)
    found = rollout([first, second], 2)
    # Layers with the token itself: [[1, 0], [.5, .5]], then [[.5, .5], [0, 1]].
    assert found.values == pytest.approx([0.625, 0.375])
    assert found.by_feature


def test_heads_are_averaged() -> None:
    heads = numpy.array([[[[1, 0], [1, 0]], [[0, 1], [0, 1]]]], dtype=numpy.float32)
    assert rollout([heads], 2).values == pytest.approx([0.5, 0.5])


def test_attention_between_other_places_is_refused() -> None:
    layer = numpy.ones((1, 2, 3, 4), dtype=numpy.float32)
    with pytest.raises(
        InvalidModel, match=r"has the sizes 1 x 2 x 3 x 4 for a text of 3 tokens\.$"
    ):
        rollout([layer], 3)


@pytest.mark.slow
def test_the_token_that_is_read_has_the_most_attention(tmp_path: Path, job: FakeJob) -> None:
    data = tmp_path / "ids.npy"
    numpy.save(data, numpy.array([[1, 3, 2, 5, 1]], dtype=numpy.int64))
    result = run(transformer(tmp_path), data, job, method=METHOD, score="output")
    (sample,) = result.samples
    assert sample.method == METHOD
    shares = [one.share for one in sample.features]
    assert shares == pytest.approx([0.1, 0.6, 0.1, 0.1, 0.1], abs=1e-4)


@pytest.mark.slow
def test_a_model_without_attention_is_refused(tmp_path: Path, job: FakeJob) -> None:
    data = tmp_path / "ids.npy"
    numpy.save(data, numpy.array([[1, 3, 2, 5, 1]], dtype=numpy.int64))
    error = refused(token_counter(tmp_path), data, job, method=METHOD)
    assert error.message == "The graph has no attention that can be seen."


@pytest.mark.slow
def test_a_picture_has_no_attention(digits: VariantRecord, job: FakeJob) -> None:
    error = refused(ModelRef.of(digits), HELDOUT, job, method=METHOD)
    assert error.message == "Attention is for texts, and the input is a picture."
