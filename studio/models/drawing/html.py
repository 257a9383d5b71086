"""A graph as one HTML file that is panned, zoomed, searched and looked into; it loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from string import Template

from studio.api import Model
from studio.models.drawing.overlay import Overlay
from studio.models.drawing.page_data import page_data
from studio.settings import resource

_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}
"""Characters that a script element must escape."""


def html(
    title: str, model: Model, overlays: Sequence[Overlay] = (), shown: Overlay | None = None
) -> str:
    """Return the page as one document, whose policy allows its own script alone.

    Args:
        shown: The overlay that is painted first.
    """
    style, script = (_resource(f"page.{kind}") for kind in ("css", "js"))
    at = next((place for place, one in enumerate(overlays) if one is shown), -1)
    # ASCII: a name may hold half surrogates, which no encoding has room for.
    data = json.dumps(page_data(title, model, overlays, at), separators=(",", ":"))
    return Template(_resource("page.html")).substitute(
        title=escape("".join(char if char.isprintable() else "\ufffd" for char in title)),
        policy=f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}",
        style=style,
        script=script,
        data=data.translate(_UNSAFE),
    )


def _resource(name: str) -> str:
    return resource("graph", name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return the hash by which a policy allows an element with this content."""
    found = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(found).decode()}'"
