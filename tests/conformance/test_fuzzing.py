"""Bodies that nobody would send on purpose: each gets an answer, and the server goes on."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.runtime.serve.contracts import pictures
from tests.unit.runtime.serve.rig import ServerProcess

FUZZ = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EXPECTED = {200, 400, 413, 415}
KINDS = ["text/csv", "application/x-npy", "application/octet-stream", "image/png", "image/jpeg", ""]
KEYS = ["instances", "inputs", "dataframe_split", "dataframe_records", "input_data", "data"]

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**40), 10**40),
        st.floats(),
        st.text(max_size=5),
        st.just({"b64": "AAAA"}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["x", "b64", "columns", "data", "name"]), inner),
    ),
    max_leaves=12,
)
documents = st.dictionaries(st.sampled_from([*KEYS, "parameters", "id"]), values, max_size=3)


class Client:
    """One connection, kept: that it lives on shows that each answer ended where it should."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self._connection = server.connect()

    def status(self, path: str, body: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, body, named)
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            document = json.loads(content)
            sentence = document.get("message") or document["error"]
            assert sentence.endswith("."), sentence
            assert "Traceback" not in sentence
        return response.status

    def close(self) -> None:
        self._connection.close()


def memory_mb(server: ServerProcess) -> float:
    return float(server.get("/edgewright/status")[1]["memory_mb"])


@pytest.fixture(scope="module", params=["bright", "named", "doubled"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    server: ServerProcess = request.getfixturevalue(request.param)
    found = Client(server)
    yield found
    found.close()
    assert server.process.poll() is None
    assert memory_mb(server) < 400
    log = Path(server.log).read_text()
    assert "Traceback" not in log


@pytest.mark.slow
@FUZZ
@given(document=documents, path=st.sampled_from(["/invocations", "/score"]))
def test_json(client: Client, document: Any, path: str) -> None:
    body = json.dumps(document).encode()
    assert client.status(path, body, content_type="application/json") in EXPECTED


@pytest.mark.slow
@FUZZ
@given(rows=values)
def test_rows_under_each_key(client: Client, rows: Any) -> None:
    for key in KEYS:
        body = json.dumps({key: rows}).encode()
        assert client.status("/invocations", body, content_type="application/json") in EXPECTED


@FUZZ
@given(body=st.binary(max_size=300), kind=st.sampled_from(KINDS))
def test_bytes_of_any_kind(client: Client, body: bytes, kind: str) -> None:
    assert client.status("/invocations", body, content_type=kind) in EXPECTED


@FUZZ
@given(text=st.text(alphabet='0123456789.,-+e\n\r" naifx', max_size=80))
def test_csv(client: Client, text: str) -> None:
    assert client.status("/invocations", text.encode(), content_type="text/csv") in EXPECTED


@FUZZ
@given(
    shape=st.lists(st.integers(0, 1 << 62), max_size=4),
    dtype=st.sampled_from(["<f4", "<f8", ">i2", "|O", "|S9", "<U3", "<c8", "[('a','<f4')]", "|V4"]),
    fortran=st.booleans(),
    rest=st.binary(max_size=64),
    version=st.integers(0, 4),
)
def test_npy(
    client: Client, shape: list[int], dtype: str, fortran: bool, rest: bytes, version: int
) -> None:
    described = dtype if dtype.startswith("[") else repr(dtype)
    header = f"{{'descr': {described}, 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}\n"
    size = len(header).to_bytes(2 if version < 2 else 4, "little")
    body = b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + rest
    assert client.status("/invocations", body, content_type="application/x-npy") in EXPECTED


@FUZZ
@given(
    head=st.binary(max_size=60),
    size=st.one_of(st.integers(-5, 10**30).map(str), st.text(max_size=6, alphabet="0x1 +²")),
)
def test_sizes_of_json_in_content_types(client: Client, head: bytes, size: str) -> None:
    kind = "application/vnd.sagemaker-triton.binary+json;json-header-size="
    encoded = (kind + size).encode("utf-8").decode("latin-1")
    assert client.status("/invocations", head, content_type=encoded) in EXPECTED


@FUZZ
@given(st.data())
def test_damaged_pictures(client: Client, data: st.DataObject) -> None:
    content = bytearray(pictures.png(np.ones((3, 3, 3), int), 8, 2))
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    name = client.server.ready["name"]
    path = f"/edgewright/models/{name}/image"
    assert client.status(path, bytes(content), content_type="image/png") in EXPECTED


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"instances":[' + b"1" * 5_000_000 + b"]}",
        b'{"instances":["' + b"a" * 5_000_000 + b'",' + b"1," * 100_000 + b"1]}",
        b'{"dataframe_split":{"columns":["x"],"data":[' + b"[]," * 300_000 + b"[]]}}",
    ],
    ids=["deep", "long number", "one long string", "many empty rows"],
)
def test_bodies_that_are_large_on_purpose(client: Client, body: bytes) -> None:
    assert client.status("/invocations", body, content_type="application/json") == 400


@pytest.mark.slow
def test_memory_does_not_grow(bright: ServerProcess) -> None:
    client = Client(bright)
    body = json.dumps({"instances": [[0.5] * 16] * 2000}).encode()

    def ask() -> None:
        for _ in range(40):
            assert client.status("/score", body, content_type="application/json") == 200
            assert client.status("/score", body[:-3], content_type="application/json") == 400

    ask()
    before = memory_mb(bright)
    ask()
    ask()
    client.close()
    assert memory_mb(bright) < before + 15


def test_the_client_may_leave(bright: ServerProcess) -> None:
    body = json.dumps({"instances": [[0.5] * 16] * 20_000})
    for _ in range(5):
        connection = http.client.HTTPConnection(bright.host, bright.port, timeout=20)
        connection.request("POST", "/score", body)
        connection.close()
    assert bright.get("/v2/health/ready")[0] == 200
