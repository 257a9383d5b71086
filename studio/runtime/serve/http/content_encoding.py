"""Compressed request bodies, decompressed no further than the limit."""

from __future__ import annotations

import zlib

from .body import too_large
from .message import Body, HttpError, Request

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def content_of(request: Request, limit: int) -> Body:
    """Return the body of a request without its content coding.

    Args:
        limit: Bytes that it may have; a few kilobytes can unpack to gigabytes.

    Raises:
        HttpError: 400, 413 or 415.
    """
    coding = request.headers.get("content-encoding", "").lower()
    if coding in ("", "identity"):
        return request.body
    if coding not in _WINDOW_BITS:
        raise HttpError(415, "The content coding {!r} is not known here.".format(coding[:40]))
    unpacker = zlib.decompressobj(_WINDOW_BITS[coding])
    try:
        content = unpacker.decompress(request.body, limit + 1)
    except zlib.error:
        raise HttpError(400, "The compressed body is damaged.") from None
    if len(content) > limit:
        raise too_large(limit)
    if not unpacker.eof or unpacker.unused_data:
        raise HttpError(400, "The compressed body is damaged.")
    return content
