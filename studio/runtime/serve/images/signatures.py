"""The first bytes of picture files."""

from __future__ import annotations

from ..http.message import Body

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"


def kind_of(content: Body) -> str:
    """``PNG`` or ``JPEG``; empty for anything else."""
    begin = bytes(content[: len(PNG)])
    if begin == PNG:
        return "PNG"
    return "JPEG" if begin.startswith(JPEG) else ""
