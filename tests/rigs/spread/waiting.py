"""A plugin whose methods wait: the time of its tasks is in the tasks, not in the processors."""

from __future__ import annotations

from pathlib import Path

from studio.plugin_host.digest import content_digest
from studio.plugin_host.trust import Trust
from studio.settings import Paths

ID = "example_waiting"
METHODS = tuple(f"waiting-{number}" for number in range(1, 10))

_PARTS = """
import time

import onnx

from studio.api import Transformed


class Waiting:
    options, needs_data = (), False

    def __init__(self, name):
        self.id = self.title = name

    def apply(self, source, output, options, data, progress):
        end = time.monotonic() + {seconds}
        while time.monotonic() < end:
            progress.progress(0, 0, "Waiting")
            progress.check()
            time.sleep(0.1)
        model = onnx.load(source)
        model.doc_string = self.id
        onnx.save(model, output)
        return Transformed(output, "fp32")
"""

_METHOD = """
[[transforms]]
id = "{name}"
title = "{name}"
formats = ["onnx"]
factory = "example_waiting.parts:{function}"
"""


def place(home: Path, seconds: float) -> None:
    """Put the plugin into a home, whose user agrees to it."""
    paths = Paths.of(home=home)
    folder = paths.plugins / ID
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Methods that wait."""\n')
    functions = {name: name.replace("-", "_") for name in METHODS}
    made = "".join(f"\n\ndef {f}():\n    return Waiting('{n}')\n" for n, f in functions.items())
    (folder / "parts.py").write_text(_PARTS.format(seconds=seconds) + made)
    head = f'id = "{ID}"\nname = "Waiting"\nversion = "0.1"\napi = 1\n'
    methods = "".join(_METHOD.format(name=n, function=f) for n, f in functions.items())
    (folder / "plugin.toml").write_text(head + methods)
    Trust(paths.trust).allow(ID, content_digest(folder))


def pipeline(folder: Path, methods: tuple[str, ...]) -> Path:
    """Write a pipeline with a matrix over methods next to the sample's model."""
    file = folder / "matrix.toml"
    names = ", ".join(f'"{name}"' for name in methods)
    file.write_text(
        f"""[pipeline]
name = "spread"

[matrix]
method = [{names}]

[[steps]]
id = "open"
step = "open"
model = "digits.onnx"

[[steps]]
id = "small"
step = "quantize"
model = "${{open.variant}}"
method = "${{matrix.method}}"
data = "calibration.npz"
"""
    )
    return file
