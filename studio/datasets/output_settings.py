"""The meaning of a model's outputs: ``outputs.toml``, as the runtime decodes by it.

Keys are the attributes of ``studio.runtime.serve.decoders.settings.OutputSettings``::

    task = "detection"
    head = "yolox"
    threshold = 0.4
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from studio.api import InvalidData
from studio.documents.toml_text import loads
from studio.runtime.serve.decoders.settings import OutputSettings

FILE = "outputs.toml"
_MOST_BYTES = 1 << 20


def read_outputs(path: Path) -> OutputSettings:
    """Read an ``outputs.toml``.

    Raises:
        InvalidData: when it is not TOML, has an unknown key, or a value that does not fit.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is too large for settings.")
        content = loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidData(f"{path.name} cannot be read: {error}.") from None
    try:
        return OutputSettings.from_json(content)
    except ValueError as error:
        raise InvalidData(f"{path.name}: {error}", hint="See docs/outputs.md.") from None
