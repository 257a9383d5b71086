"""gRPC of the Open Inference Protocol, asked by the real tritonclient and by plain gRPC calls."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from studio.runtime.serve.protocol.bfloat16 import widened
from tests.unit.runtime.serve import rig
from tests.unit.runtime.serve.protocol.test_bfloat16 import alone as bfloat16_model
from tests.unit.runtime.serve.rest.test_open_inference import ARRAYS, INFER, MODEL
from tests.unit.runtime.serve.rest.test_open_inference import question as json_question

TYPED = {
    "BOOL": "bool_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
SERVICE = "/inference.GRPCInferenceService/"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.ServerProcess]:
    """The model that gives back every type; messages up to 1 MB."""
    folder = tmp_path_factory.mktemp("rpc")
    model = rig.every_type(folder / "every_type.onnx")
    arguments = (f"--model={model}", "--max-body-mb=1", "--log-requests-per-second=1000")
    with rig.ServerProcess(*arguments, "--grpc-port=0", log=folder / "log") as running:
        yield running


@pytest.fixture
def client(server: rig.ServerProcess) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.ready["grpc"]) as made:
        yield made


@pytest.fixture
def stub(server: rig.ServerProcess) -> Iterator[Any]:
    with grpc.insecure_channel(server.ready["grpc"]) as channel:
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def inputs_of(**changes: np.ndarray) -> list[triton.InferInput]:
    inputs = []
    for name, array in {**ARRAYS, **changes}.items():
        tensor = triton.InferInput(f"in_{name}", list(array.shape), name)
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    return inputs


def typed_request(*names: str) -> Any:
    """A request with typed contents for some inputs, and raw ones for none."""
    request = service_pb2.ModelInferRequest(model_name=MODEL)
    for name in names:
        array = ARRAYS[name]
        tensor = request.inputs.add(name=f"in_{name}", datatype=name, shape=array.shape)
        values = array.ravel().tolist()
        if name == "BYTES":
            values = [value.encode() for value in values]
        getattr(tensor.contents, TYPED[name]).extend(values)
    return request


def refused(call: Callable[[], Any], code: grpc.StatusCode) -> str:
    """The sentence of a refusal with that status."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    assert error.value.code() is code, error.value
    text = error.value.details()
    assert isinstance(text, str)
    return text


def peak_mb(server: rig.ServerProcess) -> float:
    """The most memory that a server has ever had, in megabytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1000


# What comes back


@pytest.mark.parametrize("rows", [1, 5])
def test_every_type_comes_back_as_it_went(client: triton.InferenceServerClient, rows: int) -> None:
    arrays = {name: np.repeat(array, rows, axis=0) for name, array in ARRAYS.items()}
    result = client.infer(MODEL, inputs_of(**arrays), request_id="mine")
    response = result.get_response()
    assert (response.id, response.model_name, response.model_version) == ("mine", MODEL, "1")
    assert [output.datatype for output in response.outputs] == list(ARRAYS)
    for name, array in arrays.items():
        found = result.as_numpy(f"out_{name}")
        if name == "BYTES":
            found = np.vectorize(bytes.decode, otypes=[object])(found)
        np.testing.assert_array_equal(found, array, err_msg=name)
        assert found.shape == array.shape


def test_only_the_wanted_outputs(client: triton.InferenceServerClient) -> None:
    wanted = [triton.InferRequestedOutput(f"out_{name}") for name in ("INT16", "FP64")]
    response = client.infer(MODEL, inputs_of(), outputs=wanted).get_response()
    assert [output.name for output in response.outputs] == ["out_INT16", "out_FP64"]
    assert [len(raw) for raw in response.raw_output_contents] == [6, 24]


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A model of all types that typed contents can hold."""
    folder = tmp_path_factory.mktemp("typed")
    model = rig.every_type(folder / "typed.onnx", TYPED)
    with (
        rig.ServerProcess(f"--model={model}", "--grpc-port=0", log=folder / "log") as running,
        grpc.insecure_channel(running.ready["grpc"]) as channel,
    ):
        yield service_pb2_grpc.GRPCInferenceServiceStub(channel)


def test_typed_contents_come_back_typed(typed: Any) -> None:
    request = typed_request(*TYPED)
    request.model_name = "typed"
    response = typed.ModelInfer(request)
    assert not response.raw_output_contents
    for output, given in zip(response.outputs, request.inputs, strict=True):
        assert (output.datatype, output.shape) == (given.datatype, given.shape)
        assert output.contents == given.contents


@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        ("int_contents", [1, 2, 128], "A value of the input 'in_INT8' is beyond INT8."),
        ("int_contents", [1, 2], "The input 'in_INT8' needs 3 values for its shape, not 2."),
        ("int64_contents", [1, 2, 3], "The input 'in_INT8' is INT8: only int_contents fit."),
        ("fp32_contents", [1, 2, 3], "The input 'in_INT8' is INT8: only int_contents fit."),
    ],
)
def test_typed_contents_that_do_not_fit(
    typed: Any, field: str, values: list[int], sentence: str
) -> None:
    request = typed_request(*TYPED)
    request.model_name = "typed"
    (tensor,) = [one for one in request.inputs if one.name == "in_INT8"]
    tensor.ClearField("contents")
    getattr(tensor.contents, field).extend(values)
    assert refused(lambda: typed.ModelInfer(request), grpc.StatusCode.INVALID_ARGUMENT) == sentence


def test_what_has_no_typed_form_must_be_raw(stub: Any) -> None:
    request = typed_request("BOOL")
    request.inputs.add(name="in_FP16", datatype="FP16", shape=[1, 3])
    sentence = refused(lambda: stub.ModelInfer(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert sentence == "The input 'in_FP16' is FP16: send it raw."


def test_what_a_stream_brings_is_answered_in_order(
    client: triton.InferenceServerClient,
) -> None:
    found: list[Any] = []
    client.start_stream(lambda result, error: found.append(error or result.get_response().id))
    for number in range(5):
        client.async_stream_infer(MODEL, inputs_of(), request_id=str(number))
    client.async_stream_infer("other", inputs_of(), request_id="5")
    client.async_stream_infer(MODEL, inputs_of(), request_id="6")
    rig.wait_until(lambda: len(found) == 7, "all are answered")
    client.stop_stream()
    assert found[:5] + found[6:] == ["0", "1", "2", "3", "4", "6"]
    assert str(found[5]) == "There is no model 'other' here."


def test_bfloat16_as_tritonclient_sends_it(tmp_path: Path) -> None:
    numbers = np.array([[1.0, -3.0, 0.5]], np.float32)  # no rounding: all of them fit
    tensor = triton.InferInput("x", [1, 3], "BF16")
    tensor.set_data_from_numpy(numbers)
    model = bfloat16_model(tmp_path / "double.onnx")
    with (
        rig.ServerProcess(f"--model={model}", "--grpc-port=0", log=tmp_path / "log") as running,
        triton.InferenceServerClient(running.ready["grpc"]) as asking,
    ):
        response = asking.infer("double", [tensor]).get_response()
    assert response.outputs[0].datatype == "BF16"
    bits = np.frombuffer(response.raw_output_contents[0], "<u2")
    np.testing.assert_array_equal(widened(bits), 2 * numbers[0])


def test_requests_may_be_compressed(client: triton.InferenceServerClient) -> None:
    for coding in ("gzip", "deflate"):
        result = client.infer(MODEL, inputs_of(), compression_algorithm=coding)
        np.testing.assert_array_equal(result.as_numpy("out_INT64"), ARRAYS["INT64"])


# What is said about server and models


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, "1")
    assert not client.is_model_ready(MODEL, "2")
    assert not client.is_model_ready("other")
    assert "statistics" in client.get_server_metadata().extensions
    metadata = client.get_model_metadata(MODEL, as_json=True)
    assert metadata["versions"] == ["1"]
    first = {"name": "in_BOOL", "datatype": "BOOL", "shape": ["-1", "3"]}
    assert metadata["inputs"][0] == first
    assert len(metadata["outputs"]) == len(ARRAYS)
    config = client.get_model_config(MODEL, as_json=True)["config"]
    assert config["input"][-1]["data_type"] == "TYPE_STRING"
    assert config["backend"] == "onnxruntime"
    index = client.get_model_repository_index(as_json=True)
    assert index == {"models": [{"name": MODEL, "version": "1", "state": "READY"}]}


@pytest.mark.parametrize(
    ("service", "answer"),
    [
        ("", b"\x08\x01"),
        ("inference.GRPCInferenceService", b"\x08\x01"),
        ("other", grpc.StatusCode.NOT_FOUND),
    ],
)
def test_the_standard_health_check(
    server: rig.ServerProcess, service: str, answer: bytes | grpc.StatusCode
) -> None:
    with grpc.insecure_channel(server.ready["grpc"]) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        message = b"\x0a" + bytes([len(service)]) + service.encode()
        if isinstance(answer, bytes):
            assert check(message) == answer
        else:
            refused(lambda: check(message), answer)


def test_rest_and_grpc_count_together(
    client: triton.InferenceServerClient, server: rig.ServerProcess
) -> None:
    def counted() -> tuple[int, int, int]:
        (row,) = client.get_inference_statistics(MODEL).model_stats
        stats = row.inference_stats
        assert stats.success.ns >= stats.compute_infer.ns
        return stats.success.count, stats.fail.count, row.inference_count

    before = counted()
    two = {name: np.repeat(array, 2, axis=0) for name, array in ARRAYS.items()}
    client.infer(MODEL, inputs_of(**two))
    assert server.call("POST", INFER, json_question())[0] == 200
    with pytest.raises(InferenceServerException, match="is missing"):
        client.infer(MODEL, inputs_of()[:2])
    assert [b - a for a, b in zip(before, counted(), strict=True)] == [2, 1, 3]
    (rest,) = server.get("/v2/models/stats")[1]["model_stats"]
    assert rest["inference_count"] == counted()[2]


def test_answers_name_the_model_and_are_logged_with_their_trace(
    server: rig.ServerProcess, stub: Any
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    request = service_pb2.ModelInferRequest(model_name=MODEL)
    for metadata, wanted in ((trace, trace), ("not a trace", None)):
        call = stub.ModelInfer.future(request, metadata=[("traceparent", metadata)])
        assert call.code() is grpc.StatusCode.INVALID_ARGUMENT
        trailing = dict(call.trailing_metadata())
        assert trailing["edgewright-model-digest"] == server.ready["digest"]
        assert trailing["edgewright-model-version"] == "1"
        assert trailing.get("traceparent") == wanted
    rig.wait_until(lambda: trace in server.log.read_text(), "the request is logged")
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (logged,) = [line for line in lines if line.get("traceparent") == trace]
    assert (logged["path"], logged["status"]) == (SERVICE + "ModelInfer", 400)
    assert logged["peer"] == "127.0.0.1"
    assert logged["error"].startswith("The input 'in_BOOL' is missing")


# What goes wrong


def test_status_codes(stub: Any, server: rig.ServerProcess) -> None:
    codes = grpc.StatusCode
    ask = service_pb2.ModelInferRequest
    for request, code, sentence in (
        (ask(model_name="other"), codes.NOT_FOUND, "There is no model 'other' here."),
        (ask(model_name=MODEL, model_version="2"), codes.NOT_FOUND, "no version '2'"),
        (ask(model_name=MODEL), codes.INVALID_ARGUMENT, "The input 'in_BOOL' is missing."),
        (typed_request("BOOL", "BOOL"), codes.INVALID_ARGUMENT, "is given twice"),
        (ask(model_name=MODEL, raw_input_contents=[b"a"]), codes.INVALID_ARGUMENT, "0 inputs"),
    ):
        assert sentence in refused(lambda request=request: stub.ModelInfer(request), code)
    shared = typed_request("BOOL")
    shared.inputs[0].parameters["shared_memory_region"].string_param = "mine"
    assert "not supported" in refused(lambda: stub.ModelInfer(shared), codes.INVALID_ARGUMENT)
    refused(lambda: stub.ModelMetadata(service_pb2.ModelMetadataRequest()), codes.NOT_FOUND)
    settings = service_pb2.TraceSettingRequest()
    refused(lambda: stub.TraceSetting(settings), codes.UNIMPLEMENTED)
    load = service_pb2.RepositoryModelLoadRequest(model_name=MODEL)
    sentence = refused(lambda: stub.RepositoryModelLoad(load), codes.INVALID_ARGUMENT)
    assert "come and go by deploying" in sentence
    with grpc.insecure_channel(server.ready["grpc"]) as channel:
        infer = channel.unary_unary(SERVICE + "ModelInfer")
        sentence = refused(lambda: infer(b"\xff\xff"), codes.INVALID_ARGUMENT)
        assert sentence == "The message cannot be read: a number does not end."


def test_raw_contents_that_do_not_fit(stub: Any) -> None:
    raw = [array.tobytes() for name, array in ARRAYS.items() if name != "BYTES"] + [b""]
    request = service_pb2.ModelInferRequest(model_name=MODEL, raw_input_contents=raw)
    for name, array in ARRAYS.items():
        request.inputs.add(name=f"in_{name}", datatype=name, shape=array.shape)
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert "fewer strings" in refused(lambda: stub.ModelInfer(request), invalid)
    request.raw_input_contents[0] = b"\x02\x00\x00"
    assert "must be 0 or 1" in refused(lambda: stub.ModelInfer(request), invalid)
    request.raw_input_contents[0] = b"\x00\x00"
    assert "needs 3 bytes" in refused(lambda: stub.ModelInfer(request), invalid)
    request.inputs[0].contents.bool_contents.extend([True] * 3)
    assert "both raw and typed" in refused(lambda: stub.ModelInfer(request), invalid)


@pytest.mark.slow
def test_large_messages_and_bombs_are_refused(server: rig.ServerProcess, stub: Any) -> None:
    too_large = service_pb2.ModelInferRequest(raw_input_contents=[bytes(2 << 20)])
    refused(lambda: stub.ModelInfer(too_large), grpc.StatusCode.RESOURCE_EXHAUSTED)
    before = peak_mb(server)
    bomb = service_pb2.ModelInferRequest(raw_input_contents=[bytes(300 << 20)])
    assert len(gzip.compress(bomb.SerializeToString(), 1)) < 2 << 20
    refused(
        lambda: stub.ModelInfer(bomb, compression=grpc.Compression.Gzip),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    )
    assert peak_mb(server) < before + 50
    assert stub.ServerReady(service_pb2.ServerReadyRequest()).ready
