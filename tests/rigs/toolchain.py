"""A plugin with an environment of its own, and the small wheel that the environment is made of."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy
import onnx

from tests.rigs.chip_compiler import CHIP, COMPILER, GATED_CHIP

ID = "example_tools"
DISTRIBUTION = "edgewright-example-tool"

MANIFEST = """
id = "example_tools"
name = "Example tools"
version = "0.1"
api = 1
requires = ["numpy>=1.26"]

[environment]
requirements = "requirements.lock"
python = ">=3.8"
imports = ["example_tool"]
megabytes = 1
licences = "example tool: Apache-2.0"

[[backends]]
id = "example-runtime"
title = "Example runtime"
formats = ["onnx"]
environment = true
factory = "example_tools.parts:Runtime"

[[transforms]]
id = "example-quantizer"
title = "Example quantizer"
formats = ["onnx"]
environment = true
factory = "example_tools.parts:Quantizer"

[[converters]]
id = "example-converter"
title = "Example framework"
sources = ["paddle", "pickle"]
environment = true
factory = "example_tools.parts:Reader"

[[converters]]
id = "example-writer"
title = "Example device"
sources = ["onnx"]
targets = ["coreml"]
environment = true
factory = "example_tools.parts:Writer"

[[compilers]]
id = "example-compiler"
title = "Example compiler"
formats = ["onnx"]
environment = true
factory = "example_tools.parts:Compiler"
"""

PARTS = '''
"""A backend and a transform whose work is done elsewhere."""

from pathlib import Path

from studio.api import Transformed, ToolchainCompiler, ToolchainConverter

HERE = Path(__file__).parent


class Runtime:
    id, title, options = "example-runtime", "Example runtime", ()
    runner = HERE / "runner.py"

    def __init__(self, toolchain):
        self._toolchain = toolchain

    @property
    def python(self):
        return str(self._toolchain.python)

    def version(self):
        return self._toolchain.version("edgewright-example-tool")

    def load(self, path, options):
        return self._toolchain.load(self.runner, path, options)


class Quantizer:
    id, title, options, needs_data = "example-quantizer", "Example quantizer", (), False

    def __init__(self, toolchain):
        self._toolchain = toolchain

    def apply(self, source, output, options, data, progress):
        request = {"source": str(source), "output": str(output)}
        facts = self._toolchain.run(HERE / "tool.py", request, output.parent, progress)
        return Transformed(output, "int8", facts)


class Reader(ToolchainConverter):
    id, title = "example-converter", "Example framework"
    sources = ("paddle", "pickle")
    distribution = "edgewright-example-tool"
    tool = HERE / "reader.py"


class Writer(ToolchainConverter):
    id, title = "example-writer", "Example device"
    sources = ("onnx",)
    distribution = "edgewright-example-tool"
    tool = HERE / "writer.py"


class Compiler(ToolchainCompiler):
    id, title = "example-compiler", "Example compiler"
    distribution = "edgewright-example-tool"
    how = "simulated"
    tool = HERE / "compile.py"
'''

READER = '''
"""Reads text files that hold a linear model, as ONNX and as numbers."""

import base64
import glob
import json
import os

import numpy


def run(request, progress):
    with open(request["source"]) as file:
        model = json.loads(file.read().splitlines()[2])
    if model.get("error"):
        return {"error": model["error"]}
    if request["work"] == "convert":
        if "inputs" in model:
            assert request["inputs"] == model["inputs"], request["inputs"]
        with open(request["output"], "wb") as file:
            file.write(base64.b64decode(model["onnx"]))
        if "samples" in model:
            numpy.savez("samples.npz", x=numpy.array(model["samples"], numpy.float32))
        return {"warnings": model.get("warnings", []), "ranges": model.get("ranges", {}),
                "samples": "samples" in model}
    if model.get("meddles"):
        (made,) = glob.glob("../../model/*.onnx") + glob.glob("../model/*.onnx")
        with open(made, "ab") as file:
            file.write(b"more")
    weights = numpy.array(model["weights"], numpy.float32)
    values, places = request.get("values", []), model.get("places", {})
    for path in glob.glob(os.path.join(request["samples"], "*.npz")):
        with numpy.load(path, allow_pickle=False) as arrays:
            low, high = model.get("ranges", {}).get("x", (-9, 9))
            assert (arrays["x"] >= low).all() and (arrays["x"] <= high).all()
            scores = arrays["x"] @ weights + numpy.float32(model.get("offset", 0))
        names = [str(number) for number in range(model.get("outputs", 1))]
        names += [f"value/{at}" for at, one in enumerate(values) if one in places]
        numpy.savez(
            os.path.join(request["answers"], os.path.basename(path)),
            **{name: scores for name in names},
        )
    return {"places": places}
'''

WRITER = '''
"""Writes a folder of what it was told, and computes the linear model of the tests."""

import glob
import json
import os

import numpy


def run(request, progress):
    if request["work"] == "convert":
        with open(request["source"], "rb") as file:
            known = b"MatMul" in file.read()
        if not known:
            return {"error": "There is no form of the operator Conv."}
        os.makedirs(os.path.join(request["output"], "Data"))
        with open(os.path.join(request["output"], "Data", "told.json"), "w") as file:
            json.dump({"inputs": request["inputs"], "settings": request["settings"]}, file)
        return {"warnings": ["Look twice."]}
    with open(os.path.join(request["source"], "Data", "told.json")) as file:
        half = json.load(file)["settings"]["precision"] != "fp32"
    weights = numpy.arange(12, dtype=numpy.float32).reshape(4, 3) / 10 - 0.5
    for path in glob.glob(os.path.join(request["samples"], "*.npz")):
        with numpy.load(path, allow_pickle=False) as arrays:
            scores = arrays["x"] @ weights * (1.01 if half else 1)
        names = [f"value/{at}" for at, one in enumerate(request.get("values", [])) if one == "h"]
        numpy.savez(
            os.path.join(request["answers"], os.path.basename(path)),
            **{name: scores for name in ["0", *names]},
        )
    return {"places": {"h": ""}}
'''

TOOL = '''
"""Copies a model, and tells what it can reach."""

import os
import shutil
import socket
import sys
import time

import example_tool


def run(request, progress):
    progress(0, 2, "Begun")
    os.write(1, b"native chatter\\n")
    print("more chatter")
    do = request.get("do", "")
    if do == "raise":
        raise ValueError("the model is not to my taste")
    if do == "die":
        os.kill(os.getpid(), 11)
    if do == "leave":
        os._exit(7)
    if do == "compute":
        end = time.process_time() + 4
        while time.process_time() < end:
            pass
        return {"done": True}
    if do == "hang":
        time.sleep(600)
    if do == "memory":
        raise MemoryError
    progress(2, 2, "Done")
    if "output" in request:
        shutil.copy(request["source"], request["output"])
    return {
        "tool": example_tool.__version__,
        "prefix": sys.prefix,
        "home": os.environ["HOME"],
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "studio": any(name.startswith("studio") for name in sys.modules),
    }
'''

RUNNER = '''
"""Adds nothing to what it is fed, with the tool's blessing."""

import example_tool
import numpy


def load(path, options):
    open(path, "rb").close()
    return Runner(path)


class Runner:
    def __init__(self, path):
        self._path = path

    def inputs(self):
        return [{"name": "image", "dtype": "float32", "shape": [1, 1, 8, 8]}]

    def run(self, feeds):
        return {"scores": feeds["image"].reshape(1, -1)[:, :10] + example_tool.OFFSET}

    def describe(self):
        return {"runtime": "example", "version": example_tool.__version__, "device": "cpu",
                "providers": [], "precision": "bf16", "threads": 1, "outputs": ["scores"]}

    def operators(self, feeds, runs):
        return []

    def close(self):
        pass
'''


def make_wheel(folder: Path, version: str = "1.0", module: str = "") -> Path:
    """Write a wheel of one module.

    Args:
        module: More of its source.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = DISTRIBUTION.replace("-", "_")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        "example_tool.py": f'__version__ = "{version}"\nOFFSET = 0.0\n{module}',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def lend_numpy(environment: Path) -> None:
    """Let an environment see the numpy of this one, which is too large for a test's wheel."""
    place = next(environment.glob("lib/python*/site-packages"))
    for name in ("numpy", "numpy.libs"):
        (place / name).symlink_to(Path(numpy.__file__).parents[1] / name)


def lock_of(wheel: Path, version: str = "1.0") -> str:
    """The requirements that name one wheel by its digest."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"{DISTRIBUTION}=={version} \\\n    --hash=sha256:{digest}\n"


def linear_source(path: Path, **more: object) -> Path:
    """Write a file that ``READER`` converts: a product of ``x`` (an open batch, 4) and weights.

    Args:
        more: What the reader does otherwise: ``offset`` on the original's numbers, ``error``,
            ``warnings``, ``outputs``, ``places`` of values, its own ``samples``,
            whether it ``meddles`` with the ONNX file after the conversion, or the ``inputs`` and
            the ``ranges`` of samples that it has to be given.
    """
    weights = linear_weights()
    document = {
        "onnx": base64.b64encode(linear_model().SerializeToString()).decode(),
        "weights": weights.tolist(),
        **more,
    }
    path.write_text(f"linear\n1\n{json.dumps(document)}\n")
    return path


def linear_weights() -> numpy.ndarray:
    """Return the weights of the linear model, which ``WRITER`` knows as well."""
    return numpy.arange(12, dtype=numpy.float32).reshape(4, 3) / 10 - 0.5


def linear_model(*, hidden: bool = False) -> onnx.ModelProto:
    """Return the linear model as ONNX.

    Args:
        hidden: The product is an intermediate value ``h``, which a second node multiplies by 1.
    """
    floats = onnx.TensorProto.FLOAT
    nodes = [onnx.helper.make_node("MatMul", ["x", "w"], ["h" if hidden else "y"])]
    constants = [onnx.numpy_helper.from_array(linear_weights(), "w")]
    if hidden:
        nodes.append(onnx.helper.make_node("Mul", ["h", "ones"], ["y"]))
        constants.append(onnx.numpy_helper.from_array(numpy.ones(3, numpy.float32), "ones"))
    graph = onnx.helper.make_graph(
        nodes,
        "linear",
        [onnx.helper.make_tensor_value_info("x", floats, ["batch", 4])],
        [onnx.helper.make_tensor_value_info("y", floats, ["batch", 3])],
        constants,
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)


def make_plugin(folder: Path, lock: str, more: Mapping[str, str] | None = None) -> Path:
    """Write the plugin's package into a folder of plugins."""
    package = folder / ID
    package.mkdir(parents=True)
    files = {
        "__init__.py": '"""Example tools."""\n',
        "plugin.toml": MANIFEST,
        "parts.py": PARTS,
        "tool.py": TOOL,
        "runner.py": RUNNER,
        "reader.py": READER,
        "writer.py": WRITER,
        "compile.py": COMPILER,
        "chips/example-chip.toml": CHIP,
        "chips/gated-chip.toml": GATED_CHIP,
        "requirements.lock": lock,
        **(more or {}),
    }
    for name, text in files.items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text(text)
    return package
