"""The gRPC server as a process: who may ask, deadlines, swaps, handover, drain, what is missing."""

from __future__ import annotations

import json
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

from tests.unit.runtime.serve import rig
from tests.unit.runtime.serve.test_swap import (
    bind_to_other_runtime,
    numbers,
    releases,
    swap,
)
from tests.unit.runtime.serve.test_swap import root as root  # a fixture of these tests too
from tests.unit.runtime.shared.test_access_tokens import TOKEN, certify
from tests.unit.runtime.shared.test_access_tokens import (
    folder as folder,  # a fixture of these tests too
)

pytestmark = pytest.mark.slow

Stub = Any
RPC = "--grpc-port=0"
CODES = grpc.StatusCode


def stub_of(channel: grpc.Channel) -> Stub:
    return service_pb2_grpc.GRPCInferenceServiceStub(channel)


def question(model: str, shape: tuple[int, ...] = (1, 4)) -> Any:
    """A request with raw zeros for the input x."""
    request = service_pb2.ModelInferRequest(model_name=model)
    request.inputs.add(name="x", datatype="FP32", shape=shape)
    request.raw_input_contents.append(np.zeros(shape, np.float32).tobytes())
    return request


def answer(response: Any) -> float:
    """What a model of ``rig.constant`` says."""
    return float(np.frombuffer(response.raw_output_contents[0], np.float32)[0])


def busy(server: rig.ServerProcess, count: int) -> None:
    """Wait until so many requests are being answered."""
    rig.wait_until(
        lambda: server.get("/edgewright/status")[1]["in_flight"] == count, f"{count} in flight"
    )


# Who may ask


def test_the_token(folder: Path, tmp_path: Path) -> None:
    arguments = (f"--model={folder / 'constant.onnx'}", f"--token-file={folder / 'token'}", RPC)
    with (
        rig.ServerProcess(*arguments, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        stub = stub_of(channel)
        request = question("constant")
        for given in (None, TOKEN, f"Bearer {TOKEN}x", "Bearer", "Basic x:y"):
            metadata = [] if given is None else [("authorization", given)]
            with pytest.raises(grpc.RpcError) as error:
                stub.ModelInfer(request, metadata=metadata)
            assert error.value.code() is CODES.UNAUTHENTICATED
            assert error.value.details() == "Missing or invalid bearer token."
            with pytest.raises(grpc.RpcError):
                stub.ServerMetadata(service_pb2.ServerMetadataRequest(), metadata=metadata)
        right = [("authorization", f"Bearer {TOKEN}")]
        assert answer(stub.ModelInfer(request, metadata=right)) == 3.0
        assert stub.ServerLive(service_pb2.ServerLiveRequest()).live
        assert stub.ServerReady(service_pb2.ServerReadyRequest()).ready
        (said,) = stub.ModelStreamInfer(iter([request]))
        assert said.error_message == "Missing or invalid bearer token."


def test_a_message_without_a_token_is_not_received(folder: Path, tmp_path: Path) -> None:
    arguments = (f"--model={folder / 'constant.onnx'}", f"--token-file={folder / 'token'}", RPC)
    log = tmp_path / "log"
    with (
        rig.ServerProcess(*arguments, "--log-requests-per-second=1000", log=log) as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        large = question("constant", (1 << 16, 4))
        with pytest.raises(grpc.RpcError) as error:
            stub_of(channel).ModelInfer(large)
        assert error.value.code() is CODES.UNAUTHENTICATED
        right = [("authorization", f"Bearer {TOKEN}")]
        assert answer(stub_of(channel).ModelInfer(large, metadata=right)) == 3.0
    requests = [json.loads(line) for line in log.read_text().splitlines() if "ModelInfer" in line]
    assert [(one["status"], one["received"] > 0) for one in requests] == [(401, False), (200, True)]


def test_tls_with_a_certificate_that_is_renewed(folder: Path, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        shutil.copy(folder / name, tmp_path / name)
    arguments = (
        f"--model={folder / 'constant.onnx'}",
        f"--cert={tmp_path / 'cert.pem'}",
        f"--key={tmp_path / 'key.pem'}",
        RPC,
    )
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as server:
        address = server.ready["grpc"]

        def ask(authority: bytes) -> float:
            with grpc.secure_channel(address, grpc.ssl_channel_credentials(authority)) as channel:
                return answer(stub_of(channel).ModelInfer(question("constant"), timeout=10))

        old = (folder / "cert.pem").read_bytes()
        assert ask(old) == 3.0
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as error:
            stub_of(channel).ModelInfer(question("constant"), timeout=10)
        assert error.value.code() is CODES.UNAVAILABLE
        (tmp_path / "cert.pem").write_text("no certificate")  # the one before goes on
        assert ask(old) == 3.0
        new = certify(tmp_path)
        with pytest.raises(grpc.RpcError):
            ask(old)
        assert ask(new) == 3.0


# How long it may take, and how much may wait


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    return rig.slow(tmp_path / "slow.onnx", 12_000)


def test_deadlines_of_the_server_and_of_the_client(slow: Path, tmp_path: Path) -> None:
    arguments = (f"--model={slow}", "--request-seconds=0.1", "--workers=1", RPC)
    with (
        rig.ServerProcess(*arguments, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        stub, request = stub_of(channel), question("slow", (128, 128))
        for limit_s in (20, 0.03):
            with pytest.raises(grpc.RpcError) as error:
                stub.ModelInfer(request, timeout=limit_s)
            assert error.value.code() is CODES.DEADLINE_EXCEEDED
            ours = error.value.details() == "Inference timed out."
            assert ours is (limit_s == 20)
        assert stub.ServerReady(service_pb2.ServerReadyRequest()).ready
        busy(server, 0)


def test_whoever_left_is_not_computed_for(slow: Path, tmp_path: Path) -> None:
    arguments = (f"--model={slow}", "--workers=1", RPC)
    with (
        rig.ServerProcess(*arguments, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        stub, request = stub_of(channel), question("slow", (128, 128))
        calls = [stub.ModelInfer.future(request) for _ in range(3)]
        busy(server, 3)
        calls[1].cancel()
        calls[2].cancel()
        assert calls[0].result()
        busy(server, 0)
        found = server.get("/metrics")[1].decode()
        assert 'nv_inference_request_failure{model="slow",version="1",reason="CANCELED"} 2' in found


def test_a_full_queue_says_when_to_come_again(slow: Path, tmp_path: Path) -> None:
    arguments = (f"--model={slow}", "--workers=1", "--queue=1", RPC)
    with (
        rig.ServerProcess(*arguments, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        stub, request = stub_of(channel), question("slow", (128, 128))
        taken = []
        for count in (1, 2):
            taken.append(stub.ModelInfer.future(request))
            busy(server, count)
        refused = stub.ModelInfer.future(request)
        assert refused.code() is CODES.UNAVAILABLE
        assert "Too many queued requests" in refused.details()
        assert dict(refused.trailing_metadata())["grpc-retry-pushback-ms"] == "1000"
        assert all(call.result() for call in taken)
        assert server.get("/edgewright/status")[1]["rejected"] == 1


def test_many_at_once_are_answered_and_counted(tmp_path: Path) -> None:
    model = rig.constant(tmp_path / "constant.onnx", 1.0)
    arguments = (f"--model={model}", "--max-batch=8", RPC)
    with (
        rig.ServerProcess(*arguments, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        stub = stub_of(channel)
        for _ in range(20):
            calls = [stub.ModelInfer.future(question("constant")) for _ in range(50)]
            assert {answer(call.result()) for call in calls} == {1.0}
        (row,) = stub.ModelStatistics(service_pb2.ModelStatisticsRequest()).model_stats
        assert row.inference_count == 1000
        assert sum(one.batch_size * one.compute_infer.count for one in row.batch_stats) == 1000


# Versions come and go


class Load:
    """Clients that ask without pause; every answer and every failure is kept."""

    def __init__(self, address: str, model: str) -> None:
        self._address = address
        self._request = question(model)
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(4)
        self.answers: list[tuple[str, float]] = []
        self.failures: list[str] = []

    def __enter__(self) -> Load:
        self._asking = [self._pool.submit(self._ask, number) for number in range(4)]
        return self

    def __exit__(self, *exception: object) -> None:
        self._end.set()
        self._pool.shutdown()
        for one in self._asking:
            one.result()

    def _ask(self, number: int) -> None:
        # Channels of one process share their connections unless they differ.
        options = [("grpc.use_local_subchannel_pool", 1), ("client", number)]
        with grpc.insecure_channel(self._address, options) as channel:
            infer = stub_of(channel).ModelInfer
            while not self._end.is_set():
                try:
                    response, call = infer.with_call(self._request, timeout=20)
                except grpc.RpcError as error:
                    self.failures.append(f"{error.code()}: {error.details()}")
                    continue
                digest = dict(call.trailing_metadata())["edgewright-model-digest"]
                self.answers.append((digest, answer(response)))

    def more(self, count: int) -> None:
        """Wait for so many more answers."""
        wanted = len(self.answers) + count
        rig.wait_until(lambda: len(self.answers) >= wanted, f"{count} more answers")


def test_swaps_under_load_fail_no_request(root: Path, tmp_path: Path) -> None:
    with (
        rig.ServerProcess(f"--root={root}", RPC, log=tmp_path / "log") as server,
        Load(server.ready["grpc"], "answer") as load,
    ):
        for number in range(60):
            load.more(4)
            swap(server, root, 2 - number % 2)
    assert load.failures == []
    known = numbers(root)
    assert all(known[digest] == value for digest, value in load.answers)
    assert len({digest for digest, _ in load.answers}) == 2


def test_handover_to_another_runtime_under_load_fails_no_request(
    root: Path, tmp_path: Path
) -> None:
    bind_to_other_runtime(root, tmp_path, releases(root)[2])
    workers = set()
    with (
        rig.ServerProcess(f"--root={root}", RPC, log=tmp_path / "log") as server,
        Load(server.ready["grpc"], "answer") as load,
    ):
        for version in (2, 1, 2, 1):
            load.more(20)
            swap(server, root, version)
            workers.add(rig.report(root)["worker"])
            wanted = releases(root)[version].name
            rig.wait_until(
                lambda wanted=wanted: load.answers[-1][0] == wanted, "the new one answers"
            )
        assert rig.report(root)["grpc_port"] == int(server.ready["grpc"].rpartition(":")[2])
    assert load.failures == []
    assert len(workers) == 4
    known = numbers(root)
    assert all(known[digest] == value for digest, value in load.answers)


def test_models_are_loaded_and_unloaded_by_name(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    rig.constant(models / "one.onnx", 1.0)
    with (
        rig.ServerProcess(f"--models={models}", RPC, log=tmp_path / "log") as server,
        triton.InferenceServerClient(server.ready["grpc"]) as client,
    ):
        rig.constant(models / "two.onnx", 2.0)
        client.load_model("two")
        client.unload_model("one")
        assert client.is_model_ready("two")
        assert not client.is_model_ready("one")
        rows = client.get_model_repository_index(as_json=True)["models"]
        assert [(row["name"], row["state"]) for row in rows] == [
            ("one", "UNAVAILABLE"),
            ("two", "READY"),
        ]
        with pytest.raises(InferenceServerException, match="NOT_FOUND"):
            client.load_model("three")
        with pytest.raises(InferenceServerException, match="not from a request"):
            client.load_model("one", config="{}")


# The end


def test_terminated_server_finishes_what_it_has_begun(slow: Path, tmp_path: Path) -> None:
    with (
        rig.ServerProcess(f"--model={slow}", RPC, log=tmp_path / "log") as server,
        grpc.insecure_channel(server.ready["grpc"]) as channel,
    ):
        begun = stub_of(channel).ModelInfer.future(question("slow", (128, 128)))
        busy(server, 1)
        server.process.send_signal(signal.SIGTERM)
        assert len(begun.result().raw_output_contents[0]) == 4 * 128 * 128
        assert server.process.wait(20) == 0


# What stops it from starting


def test_without_grpcio_one_sentence_says_so(tmp_path: Path, root: Path) -> None:
    sentence = "--grpc-port needs the package grpcio, which the Python at "
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError('none', name='grpc')\n")
    model = rig.constant(tmp_path / "constant.onnx", 1.0)
    for source in (f"--model={model}", f"--root={root}"):
        log = tmp_path / "log"
        server = rig.ServerProcess(source, RPC, log=log, PYTHONPATH=str(tmp_path))
        assert server.process.wait(30) == 1
        server.stop()
        assert log.read_text().startswith(sentence)
        assert set(log.read_text().splitlines()) == {log.read_text().splitlines()[0]}
    with rig.ServerProcess(f"--model={model}", log=log, PYTHONPATH=str(tmp_path)) as server:
        assert "grpc" not in server.ready


def test_a_taken_port_is_one_sentence(tmp_path: Path, root: Path) -> None:
    model = rig.constant(tmp_path / "constant.onnx", 1.0)
    with rig.ServerProcess(f"--root={root}", RPC, log=tmp_path / "first") as first:
        port = first.ready["grpc"].rpartition(":")[2]
        for source in (f"--model={model}", f"--root={tmp_path}"):
            server = rig.ServerProcess(source, f"--grpc-port={port}", log=tmp_path / "second")
            assert server.process.wait(30) == 1
            server.stop()
            expected = f"Cannot listen at port {port} of 127.0.0.1: Address already in use.\n"
            assert server.log.read_text() == expected
