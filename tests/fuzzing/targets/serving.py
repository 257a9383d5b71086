"""What a served model hears: HTTP's framing, gRPC's messages, pictures."""

from __future__ import annotations

import functools
import io
import json
import random
from collections.abc import Callable
from pathlib import Path

from studio.runtime.serve.http.body import HttpLimits
from studio.runtime.serve.http.message import HttpError
from studio.runtime.serve.http.parser import HeadReader, RequestParser
from studio.runtime.serve.images import png
from studio.runtime.serve.images.decoding import decode_picture
from studio.runtime.serve.rpc import messages
from studio.runtime.serve.rpc.codec import decode
from studio.runtime.serve.rpc.wire import WireError
from tests.fuzzing.mutation import change_bytes, change_message, change_text
from tests.fuzzing.target import Target

_LIMITS = HttpLimits(body=1 << 16)
_ALONE = (messages.INFER_REQUEST, messages.INDEX_REQUEST, messages.REPOSITORY_REQUEST,
          messages.HEALTH_REQUEST, messages.NAMED, messages.MODEL_CONFIG)  # fmt: skip


def http() -> Target:
    """The parser of requests; in one piece and in pieces it must hear the same."""

    def run(data: bytes, folder: Path) -> None:
        whole = heard([data])
        cut = [data[place : place + 7] for place in range(0, len(data), 7)]
        assert heard(cut) == whole, "pieces are heard as something else"

    return Target("http", _requests, run, (), change_text, largest=1 << 13)


def heard(pieces: list[bytes]) -> list[object]:
    """The requests that are in a stream, and the status that ends it."""
    parser = RequestParser(HeadReader(_LIMITS))
    found: list[object] = []
    try:
        for piece in pieces:
            parser.feed(piece)
            while (request := parser.next()) is not None:
                found.append((request.method, request.path, request.query, bytes(request.body)))
    except HttpError as error:
        found.append(error.response().status)
    return found


def _requests() -> list[bytes]:
    body = json.dumps({"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]})
    head = "POST /v2/models/m/infer HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    chunked = f"{head}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    chunked += f"{len(body):x};a=b\r\n{body}\r\n0\r\nTrailer: x\r\n\r\n"
    plain = (
        "GET /v2/health/live HTTP/1.0\r\nConnection: keep-alive\r\nAuthorization: Bearer x\r\n\r\n"
    )
    return [text.encode() for text in (whole, chunked, plain, plain + whole)]


def rpc() -> Target:
    """The codec of gRPC's messages, each table with the same bytes."""

    def run(data: bytes, folder: Path) -> None:
        for message in _ALONE:
            try:
                decode(message, data)
            except WireError:
                continue

    return Target("rpc", _questions, run, (), change_message, largest=1 << 13)


def _questions() -> list[bytes]:
    from tritonclient.grpc import service_pb2

    request = service_pb2.ModelInferRequest(model_name="two", id="1")
    tensor = request.inputs.add(name="x", datatype="INT8", shape=[1, 3])
    tensor.contents.int_contents.extend([1, 2, 3])
    tensor.parameters["p"].string_param = "v"
    request.outputs.add(name="y")
    raw = service_pb2.ModelInferRequest(model_name="one")
    raw.inputs.add(name="x", datatype="BYTES", shape=[2])
    raw.raw_input_contents.append(b"\1\0\0\0a" * 2)
    load = service_pb2.RepositoryModelLoadRequest(model_name="one")
    load.parameters["config"].string_param = "{}"
    return [one.SerializeToString() for one in (request, raw, load)]


def picture() -> Target:
    """Pictures sent to a model: through Pillow, and through the decoder for boards without it."""

    def run(data: bytes, folder: Path) -> None:
        try:
            decode_picture(data)
        except HttpError:
            pass
        try:
            if png.header_of(data).width * png.header_of(data).height < 1 << 20:
                png.decode(data)
        except (png.DamagedPicture, png.UnsupportedPicture):
            pass

    return Target("picture", _pictures, run, (), _chunks, largest=1 << 14)


def _pictures() -> list[bytes]:
    from PIL import Image

    made = []
    for mode, form, options in (("RGB", "PNG", {}), ("P", "PNG", {}), ("I;16", "PNG", {}),
                                ("RGBA", "PNG", {}), ("RGB", "JPEG", {"quality": 30}),
                                ("L", "JPEG", {"progressive": True})):  # fmt: skip
        out = io.BytesIO()
        Image.new(mode, (9, 7)).save(out, form, **options)
        made.append(out.getvalue())
    return made


def _chunks(data: bytes, rng: random.Random) -> bytes:
    """Change bytes, and now and then put PNG's sums right again, so that more is read."""
    import zlib

    data = change_bytes(data, rng)
    if data[:8] != png.SIGNATURE or rng.random() < 0.2:
        return data
    at, parts = 8, [data[:8]]
    while at + 12 <= len(data):
        length = min(int.from_bytes(data[at : at + 4], "big"), len(data) - at - 12)
        body = data[at + 4 : at + 8 + length]
        parts += [length.to_bytes(4, "big"), body, zlib.crc32(body).to_bytes(4, "big")]
        at += 12 + length
    return b"".join(parts)


TARGETS: dict[str, Callable[[], Target]] = {
    "http": http,
    "rpc": functools.partial(rpc),
    "picture": picture,
}
