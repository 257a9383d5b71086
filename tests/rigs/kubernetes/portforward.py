"""Port-forward of the fake: websocket frames on one side, a TCP connection on the other."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
_BINARY, _CLOSE = 2, 8


def forward(handler: BaseHTTPRequestHandler, pod_port: int, real_port: int) -> None:
    """Answer the upgrade, and carry bytes until either side ends."""
    key = handler.headers["Sec-WebSocket-Key"] + _MAGIC
    offered = handler.headers.get("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
    handler.send_response_only(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header(
        "Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    )
    handler.send_header("Sec-WebSocket-Protocol", offered.split(",")[-1].strip())
    handler.end_headers()
    handler.wfile.flush()
    client = handler.connection
    for channel in (0, 1):
        _send(client, bytes([channel]) + struct.pack("<H", pod_port))
    with socket.create_connection(("127.0.0.1", real_port)) as server:
        back = threading.Thread(target=_back, args=(server, client), daemon=True)
        back.start()
        with contextlib.suppress(OSError, EOFError):
            while (frame := _receive(handler)) is not None:
                if frame[:1] == b"\0":
                    server.sendall(frame[1:])
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        back.join(5)


def _back(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(65536):
            _send(client, b"\0" + data)
        _send(client, struct.pack(">H", 1000), _CLOSE)


def _send(client: socket.socket, data: bytes, opcode: int = _BINARY) -> None:
    head = bytes([0x80 | opcode])
    if len(data) < 126:
        head += bytes([len(data)])
    elif len(data) < 1 << 16:
        head += bytes([126]) + struct.pack(">H", len(data))
    else:
        head += bytes([127]) + struct.pack(">Q", len(data))
    client.sendall(head + data)


def _receive(handler: BaseHTTPRequestHandler) -> bytes | None:
    """One frame of the client; None at its end."""
    first, second = _exactly(handler, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack(">H", _exactly(handler, 2))
    elif length == 127:
        (length,) = struct.unpack(">Q", _exactly(handler, 8))
    mask = _exactly(handler, 4) if second & 0x80 else b"\0\0\0\0"
    data = _exactly(handler, length)
    plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
    return None if first & 0xF == _CLOSE else plain


def _exactly(handler: BaseHTTPRequestHandler, count: int) -> bytes:
    data = handler.rfile.read(count)
    if len(data) < count:
        raise EOFError
    return data
