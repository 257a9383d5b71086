"""Random and damaged messages over gRPC: always a status that blames the client, never a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from tests.unit.runtime.serve import rig

Infer = Callable[[bytes], object]
SERVICE = "/inference.GRPCInferenceService/"
KINDS = [*rig.TYPES, "BF16", "", "fp32"]
CONTENTS = [field.name for field in service_pb2.InferTensorContents.DESCRIPTOR.fields]


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[grpc.Channel]:
    folder = tmp_path_factory.mktemp("fuzzing")
    model = rig.every_type(folder / "two.onnx", ("INT8", "BYTES"))
    with rig.ServerProcess(f"--model={model}", "--grpc-port=0", log=folder / "log") as server:
        with grpc.insecure_channel(server.ready["grpc"]) as made:
            yield made
        assert server.process.poll() is None
        assert "Traceback" not in server.log.read_text()


def outcome(channel: grpc.Channel, message: bytes) -> grpc.StatusCode:
    call = channel.unary_unary(SERVICE + "ModelInfer").future(message, timeout=20)
    code: grpc.StatusCode = call.code()
    return code


ALLOWED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
}


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Requests that are nearly right: names, types, shapes and contents that may not fit."""
    request = service_pb2.ModelInferRequest(model_name="two", id=draw(st.text(max_size=3)))
    for name in draw(st.permutations(["in_INT8", "in_BYTES"])):
        kind = draw(st.sampled_from([name[3:]] * 6 + KINDS))
        shape = draw(st.sampled_from([[1, 3]] * 6 + [[], [3], [0, 3], [2**62, 3], [-1, 3]]))
        tensor = request.inputs.add(name=name, datatype=kind, shape=shape)
        if draw(st.booleans()):
            field = draw(st.sampled_from(["int_contents", "bytes_contents", *CONTENTS]))
            count = draw(st.sampled_from([3, 3, 3, 0, 4]))
            value: object = b"a" if field == "bytes_contents" else draw(st.integers(0, 1))
            getattr(tensor.contents, field).extend([value] * count)
    raw = [b"abc", b"\1\0\0\0a" * 3]
    request.raw_input_contents.extend(draw(st.sampled_from([[], raw, raw[::-1], raw[:1]])))
    return bytes(request.SerializeToString())


@pytest.mark.slow
@given(message=requests())
@settings(max_examples=300, deadline=None)
def test_requests_that_are_nearly_right(channel: grpc.Channel, message: bytes) -> None:
    assert outcome(channel, message) in ALLOWED


@pytest.mark.slow
@given(message=requests(), data=st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_requests(channel: grpc.Channel, message: bytes, data: st.DataObject) -> None:
    raw = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(raw)))
        raw[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    assert outcome(channel, bytes(raw)) in ALLOWED


@given(message=st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_noise(channel: grpc.Channel, message: bytes) -> None:
    assert outcome(channel, message) in ALLOWED


def test_a_right_one_is_answered(channel: grpc.Channel) -> None:
    request = service_pb2.ModelInferRequest(model_name="two")
    request.inputs.add(name="in_INT8", datatype="INT8", shape=[1, 3])
    request.inputs.add(name="in_BYTES", datatype="BYTES", shape=[1, 3])
    request.raw_input_contents.extend([b"abc", b"\1\0\0\0a" * 3])
    answer = channel.unary_unary(SERVICE + "ModelInfer")(request.SerializeToString())
    found = service_pb2.ModelInferResponse.FromString(answer)
    assert np.frombuffer(found.raw_output_contents[0], np.int8).tolist() == list(b"abc")
