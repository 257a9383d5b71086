"""The codec of gRPC's messages against the real library with a real client's generated ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from google.protobuf.descriptor import FieldDescriptor as Kind
from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import model_config_pb2, service_pb2

from studio.runtime.serve.protocol.tensors import DATA_TYPES
from studio.runtime.serve.rpc import messages
from studio.runtime.serve.rpc.codec import MOST_PARTS, Field, Message, decode, encode
from studio.runtime.serve.rpc.methods import CONFIG_TYPES
from studio.runtime.serve.rpc.wire import SCALARS, WireError, packed, read_packed

STREAM_RESPONSE = Message(
    Field(1, "error_message", "string"),
    Field(2, "infer_response", "message", message=messages.INFER_RESPONSE),
)
PAIRS: dict[str, tuple[Message, Any]] = {
    "live": (messages.LIVE, service_pb2.ServerLiveResponse),
    "ready": (messages.READY, service_pb2.ModelReadyResponse),
    "named": (messages.NAMED, service_pb2.ModelReadyRequest),
    "server metadata": (messages.SERVER_METADATA, service_pb2.ServerMetadataResponse),
    "model metadata": (messages.MODEL_METADATA, service_pb2.ModelMetadataResponse),
    "infer request": (messages.INFER_REQUEST, service_pb2.ModelInferRequest),
    "infer response": (messages.INFER_RESPONSE, service_pb2.ModelInferResponse),
    "stream response": (STREAM_RESPONSE, service_pb2.ModelStreamInferResponse),
    "index request": (messages.INDEX_REQUEST, service_pb2.RepositoryIndexRequest),
    "index": (messages.INDEX, service_pb2.RepositoryIndexResponse),
    "load": (messages.REPOSITORY_REQUEST, service_pb2.RepositoryModelLoadRequest),
    "unload": (messages.REPOSITORY_REQUEST, service_pb2.RepositoryModelUnloadRequest),
    # Those that follow leave out some fields of the real ones.
    "statistics": (messages.STATISTICS, service_pb2.ModelStatisticsResponse),
    "config": (messages.MODEL_CONFIG, service_pb2.ModelConfigResponse),
}
WHOLE = [name for name in PAIRS if name not in ("statistics", "config")]
TYPES = {
    "bool": Kind.TYPE_BOOL,
    "int32": Kind.TYPE_INT32,
    "int64": Kind.TYPE_INT64,
    "uint32": Kind.TYPE_UINT32,
    "uint64": Kind.TYPE_UINT64,
    "float": Kind.TYPE_FLOAT,
    "double": Kind.TYPE_DOUBLE,
    "string": Kind.TYPE_STRING,
    "bytes": Kind.TYPE_BYTES,
    "view": Kind.TYPE_BYTES,
    "enum": Kind.TYPE_ENUM,
    "message": Kind.TYPE_MESSAGE,
    "map": Kind.TYPE_MESSAGE,
}


def same_as(table: Message, descriptor: Any, whole: bool) -> None:
    """Fail where a table differs from a real message."""
    for field in table.fields:
        real = descriptor.fields_by_number[field.number]
        assert (field.name, TYPES[field.kind]) == (real.name, real.type), descriptor.name
        assert (field.repeated or field.kind == "map") is real.is_repeated
        if field.message is not None:
            same_as(field.message, real.message_type, whole)
    if whole:
        assert {field.number for field in table.fields} == set(descriptor.fields_by_number)
    if table.one_of:
        (union,) = descriptor.oneofs
        assert set(table.one_of) == {field.name for field in union.fields}


@pytest.mark.parametrize("name", PAIRS)
def test_the_tables_are_those_of_a_real_client(name: str) -> None:
    table, real = PAIRS[name]
    same_as(table, real.DESCRIPTOR, name in WHOLE)


def test_the_data_types_of_the_configuration() -> None:
    real = model_config_pb2.DataType
    assert {name: real.Value(name) for name in CONFIG_TYPES} == CONFIG_TYPES
    assert {kind.config for kind in DATA_TYPES} <= set(CONFIG_TYPES)


# Real messages with any content

RANGES = {
    Kind.TYPE_BOOL: st.booleans(),
    Kind.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    Kind.TYPE_ENUM: st.integers(0, 14),
    Kind.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    Kind.TYPE_UINT32: st.integers(0, 2**32 - 1),
    Kind.TYPE_UINT64: st.integers(0, 2**64 - 1),
    Kind.TYPE_FLOAT: st.floats(width=32, allow_nan=False),
    Kind.TYPE_DOUBLE: st.floats(allow_nan=False),
    Kind.TYPE_STRING: st.text(max_size=20),
    Kind.TYPE_BYTES: st.binary(max_size=40),
}


@st.composite
def filled(draw: st.DrawFn, real: Any, table: Message) -> Any:
    """A real message with some of the table's fields set."""
    made = real()
    for field in table.fields:
        if draw(st.booleans()):
            fill(draw, made, real.DESCRIPTOR.fields_by_number[field.number], field)
    return made


def fill(draw: st.DrawFn, made: Any, real: Any, field: Any) -> None:
    if field.kind == "map":
        for key in draw(st.lists(RANGES[Kind.TYPE_STRING], max_size=3, unique=True)):
            value = getattr(made, real.name)[key]
            inner = field.message.fields[1].message
            value.CopyFrom(draw(filled(type(value), inner)))
    elif field.kind == "message":
        target = getattr(made, real.name)
        for _ in range(draw(st.integers(0, 3)) if field.repeated else 1):
            one = target.add() if field.repeated else target
            one.CopyFrom(draw(filled(type(one), field.message)))
            if not field.repeated:
                one.SetInParent()
    elif field.repeated:
        getattr(made, real.name).extend(draw(st.lists(RANGES[real.type], max_size=40)))
    else:
        setattr(made, real.name, draw(RANGES[real.type]))


def content(real: Any, table: Message) -> dict[str, Any]:
    """What of a real message the table's decoder should find, defaults left out."""
    found = {}
    for field in table.fields:
        value = getattr(real, field.name)
        if field.kind == "map":
            inner = field.message.fields[1].message
            value = {key: content(value[key], inner) for key in sorted(value)}
        elif field.kind == "message":
            if not field.repeated and not real.HasField(field.name):
                continue
            value = (
                [content(one, field.message) for one in value]
                if field.repeated
                else content(value, field.message)
            )
        elif field.repeated:
            value = list(value)
        elif field.name in table.one_of and not real.HasField(field.name):
            continue
        if value or (isinstance(value, dict) and not field.repeated) or field.name in table.one_of:
            found[field.name] = value
    return {name: value for name, value in found.items() if value != {} or name == "contents"}


def plain(found: dict[str, Any], table: Message) -> dict[str, Any]:
    """What our decoder found, in the same form."""
    result = {}
    for field in table.fields:
        if field.name not in found:
            continue
        value = found[field.name]
        if field.kind == "map":
            inner = field.message.fields[1].message
            value = {key: plain(one, inner) for key, one in sorted(value.items())}
        elif field.kind == "message":
            value = (
                [plain(one, field.message) for one in value]
                if field.repeated
                else plain(value, field.message)
            )
        elif isinstance(value, np.ndarray):
            assert value.dtype == SCALARS[field.kind].dtype
            value = value.tolist()
        elif field.kind in ("view", "bytes"):
            value = [bytes(one) for one in value] if field.repeated else bytes(value)
        if value or isinstance(value, dict) or field.name in table.one_of:
            result[field.name] = value
    return {name: value for name, value in result.items() if value != {} or name == "contents"}


@pytest.mark.parametrize("name", PAIRS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_the_library_writes_is_read_and_written_again(name: str, data: st.DataObject) -> None:
    table, real = PAIRS[name]
    message = data.draw(filled(real, table))
    found = decode(table, message.SerializeToString())
    assert plain(found, table) == content(message, table)
    assert real.FromString(encode(table, found)) == message


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_messages_one_after_the_other_are_merged(data: st.DataObject) -> None:
    table, real = PAIRS["stream response"]
    parts = [data.draw(filled(real, table)).SerializeToString() for _ in range(2)]
    together = b"".join(parts)
    assert plain(decode(table, together), table) == content(real.FromString(together), table)


@pytest.mark.slow
@given(data=st.data(), name=st.sampled_from(["infer request", "index", "stream response", "load"]))
@settings(max_examples=600, deadline=None)
def test_damaged_messages_are_taken_and_refused_like_the_library_does(
    data: st.DataObject, name: str
) -> None:
    table, real = PAIRS[name]
    raw = bytearray(data.draw(filled(real, table)).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 3))
        raw[place : place + cut] = data.draw(st.binary(max_size=3))
    compare(table, real, bytes(raw))


@given(raw=st.binary(max_size=60))
@example(raw=b"\x0b\x0c")  # a group of field 1
@example(raw=b"\x0b\x14")  # ended by another one
@example(raw=b"\x8a\x00\x01a")  # a tag that is longer than it needs to be
@example(raw=b"\x00")
@example(raw=b"\x0f")
@example(raw=b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(raw=b"\x0a\x02\xc3\x28")  # no UTF-8
@example(raw=b"\x22\x0a\x0a\x01a\x12\x00\x0d\x00\x00\x00\x00")  # an entry with a field more
@example(raw=b"\x22\x08\x0a\x01a\x12\x03\x9a\x06\x00")  # its value has one
@example(raw=b"\x2a\x05\x1a\x03\xff\xff\xff")
@settings(max_examples=1000, deadline=None)
def test_noise_is_taken_and_refused_like_the_library_does(raw: bytes) -> None:
    compare(*PAIRS["infer request"], raw)


def compare(table: Message, real: Any, raw: bytes) -> None:
    try:
        expected = real.FromString(raw)
    except DecodeError:
        with pytest.raises(WireError):
            decode(table, raw)
        return
    found, wanted = plain(decode(table, raw), table), content(expected, table)
    assert repr(found) == repr(wanted)  # NaN is not equal to itself


# Numbers


@pytest.mark.parametrize("kind", SCALARS)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_packed_numbers(kind: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(RANGES[TYPES[kind]], max_size=200))
    array = np.array(values, SCALARS[kind].dtype)
    raw = packed(array, SCALARS[kind])
    found = read_packed(raw, 0, len(raw), SCALARS[kind])
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_numbers_that_are_not_packed() -> None:
    table, real = PAIRS["infer request"]
    raw = b"\x2a\x08" + b"\x18\x01\x1a\x02\x02\x03\x18\x04"  # shape: 1, [2, 3], 4
    assert decode(table, raw)["inputs"][0]["shape"].tolist() == [1, 2, 3, 4]
    assert list(real.FromString(raw).inputs[0].shape) == [1, 2, 3, 4]


def test_raw_contents_are_views_of_what_came() -> None:
    table, real = PAIRS["infer request"]
    raw = real(raw_input_contents=[b"abc", b"defg"]).SerializeToString()
    first, second = decode(table, raw)["raw_input_contents"]
    assert first.obj is raw
    assert second.obj is raw
    assert (bytes(first), bytes(second)) == (b"abc", b"defg")


def test_a_message_of_countless_parts_is_refused() -> None:
    table = messages.INFER_REQUEST
    assert len(decode(table, b"\x2a\x00" * MOST_PARTS)["inputs"]) == MOST_PARTS
    for part in (b"\x2a\x00", b"\x3a\x00", b"\x22\x00"):
        with pytest.raises(WireError, match="parts"):
            decode(table, part * (MOST_PARTS + 1))
