"""The parts of the runtime: what travels together, and what is said of a part that did not."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from studio import runtime
from studio.api import StudioError
from studio.packages.bundle import Bundle, write_manifest
from studio.packages.work import package
from studio.registry import ModelRef
from studio.runtime.archive import write_application
from studio.runtime.parts import KEY, PARTS, owners_of, packed_in, with_needs
from tests.rigs.apps import app_bundle, make_app
from tests.rigs.bundles import QuietJob, make_bundle, package_options
from tests.rigs.small_encoder import write_encoder
from tests.unit.runtime.serve.rig import ServerProcess, constant, wait_until

pytestmark = pytest.mark.slow

FOLDER = Path(runtime.__file__).parent
SOURCES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): path.read_text()
    for path in sorted(FOLDER.rglob("*.py"))
}
"""Text of each module, by its name below the package."""


def imports_at_load(module: str, text: str) -> Iterator[str]:
    """The modules of the runtime that a module imports as soon as it is loaded."""
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            around = module.split(".")[: -node.level]
            base = ".".join([*around, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}".strip(".")
                yield inner if inner in SOURCES else base
        waiting += ast.iter_child_nodes(node)


def strangers(sources: dict[str, str]) -> list[str]:
    """The imports of modules that may not have travelled."""
    return [
        f"{module} ({', '.join(sorted(owners_of(module))) or 'core'}) imports {other}"
        for module, text in sources.items()
        for other in imports_at_load(module, text)
        if other in SOURCES
        and not owners_of(other) <= (with_needs(owners_of(module)) if owners_of(module) else set())
    ]


def test_a_module_imports_only_what_travels_with_it() -> None:
    assert strangers(SOURCES) == []


def test_an_import_of_what_may_be_missing_is_noticed() -> None:
    text = "from ..generate.loader import load_text_model\n"
    assert strangers({"serve.worker": text}) == ["serve.worker (core) imports generate.loader"]


CHOICES = [(), *((name,) for name in PARTS), tuple(PARTS)]

IMPORT_ALL = """
import importlib, sys, zipfile
sys.path.insert(0, sys.argv[1])
for name in sorted(zipfile.ZipFile(sys.argv[1]).namelist()):
    module = name[:-3].replace("/", ".").replace(".__init__", "")
    if not module.endswith("__main__"):
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:  # a library that a target may lack
            if error.name.startswith(("edgewright_runtime", "studio")):
                raise
assert not any(name.partition(".")[0] == "studio" for name in sys.modules)
"""


def application(folder: Path, *parts: str) -> str:
    path = folder / "edgewright.pyz"
    write_application(str(path), parts=parts)
    return str(path)


@pytest.mark.parametrize("parts", CHOICES, ids=lambda parts: "+".join(parts[:2]) or "core")
def test_each_module_of_an_application_can_be_imported(
    tmp_path: Path, parts: tuple[str, ...]
) -> None:
    path = application(tmp_path, *parts)
    subprocess.run([sys.executable, "-I", "-c", IMPORT_ALL, path], timeout=120, check=True)
    assert packed_in(path) == with_needs(parts)


def test_an_application_for_pictures_is_small(tmp_path: Path) -> None:
    assert Path(application(tmp_path, "pictures")).stat().st_size < 480_000


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (("answers",), "bench"),
        (("chat",), "language"),
        (("gate", "--help"), "containers"),
        (("pull", "status", "--root", "."), "pull"),
        (("serve", "--model", "model.onnx", "--grpc-port", "0"), "grpc"),
    ],
)
def test_a_command_without_its_part_says_what_to_do(
    tmp_path: Path, command: tuple[str, ...], part: str
) -> None:
    constant(tmp_path / "model.onnx", 1.0)
    done = run(application(tmp_path), *command, folder=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"This runtime was sent without its part {part} (")
    assert line.endswith(f"Deploy again with --parts {part}.")


def test_a_verb_without_its_part_says_what_to_do(tmp_path: Path) -> None:
    done = run(application(tmp_path), "release", "decisions", "--root", str(tmp_path))
    assert json.loads(done.stdout.splitlines()[-1])["message"].endswith("--parts decisions.")


def run(path: str, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", path, *command],
        input="{}\n",
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )


def served(folder: Path, bundle: Bundle, **environment: str) -> ServerProcess:
    """A server of a bundle from an application with the bundle's parts alone."""

    class ArchiveServer(ServerProcess):
        program = (sys.executable, "-I", application(folder, *bundle.parts))

    given = f"--bundle={bundle.folder}"
    return ArchiveServer(given, log=folder / "server.log", **environment)


def test_a_server_of_tensors_starts_from_the_core(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b")
    assert bundle.parts == frozenset()
    with served(tmp_path, bundle, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as server:
        assert server.get("/v2/models/cnn")[0] == 200
        status, found = server.call("POST", "/v1/embeddings", {"input": "a"})
        assert (status, "--parts language" in str(found)) == (404, True)
        assert server.get("/edgewright/app")[0] == 404
        assert server.get("/metrics")[0] == 200
        _, description = server.get("/openapi.json")
    assert "/v1/embeddings" not in description["paths"]
    assert "/v2/models/{model}/infer" in description["paths"]
    assert "--parts otlp" in server.log.read_text()


def test_a_server_of_pictures_starts_with_their_part(tmp_path: Path) -> None:
    (tmp_path / "preprocess.toml").write_text(
        "resize = 'stretch'\nwidth = 16\nheight = 16\nscale = 0.00392156862745098\n"
    )
    bundle = make_bundle(tmp_path / "b", preprocess=tmp_path / "preprocess.toml")
    assert bundle.parts == {"pictures"}
    path = tmp_path / "picture.png"
    Image.new("RGB", (20, 20)).save(path)
    with served(tmp_path, bundle) as server:
        status, found = server.call("POST", "/edgewright/models/cnn/image", path.read_bytes())
    assert (status, len(found["outputs"])) == (200, 1)


def test_a_server_of_texts_starts_with_their_part(tmp_path: Path) -> None:
    model = write_encoder(tmp_path / "model")
    ref = ModelRef(str(model), "0" * 64, 1, 1, "encoder", "original", "onnx", "fp32")
    made = package(package_options(ref), QuietJob(tmp_path / "job"))
    bundle = Bundle.open(Path(made.bundle))
    assert bundle.parts == {"decisions", "language", "pictures"}
    with served(tmp_path, bundle) as server:
        status, found = server.call(
            "POST", "/v1/embeddings", {"input": "The pump", "model": "encoder"}
        )
    assert (status, len(found["data"])) == (200, 1)


def test_a_server_of_an_app_starts_with_its_part(tmp_path: Path) -> None:
    make_app(tmp_path / "lanes", source="realtime = true\nloop = true")
    bundle = app_bundle(tmp_path, tmp_path / "lanes")
    assert bundle.parts == {"apps", "pictures"}
    variables = json.dumps({"FILM": str(tmp_path / "lanes" / "film.avi")})
    data = str(tmp_path / "data")
    with served(
        tmp_path, bundle, EDGEWRIGHT_APP_DATA=data, EDGEWRIGHT_APP_VARIABLES=variables
    ) as server:
        wait_until(lambda: server.get("/edgewright/app")[1].get("state") == "running", "the app")


def test_a_bundle_with_an_unknown_part_is_refused(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b")
    manifest = {**bundle.raw, KEY: ["pictures", "smell"]}
    write_manifest(bundle.folder, manifest)
    newer = Bundle.open(bundle.folder)
    with pytest.raises(StudioError, match=r"needs the part 'smell'.*Update Edgewright"):
        _ = newer.parts
    done = run(application(tmp_path), "serve", "--port=0", "--bundle", str(bundle.folder))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "needs the part 'smell'" in done.stderr


def test_a_bundle_of_before_needs_all_parts(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "b")
    content = bundle.content
    write_manifest(bundle.folder, {k: v for k, v in bundle.raw.items() if k != KEY})
    before = Bundle.open(bundle.folder)
    assert before.parts == frozenset(PARTS)
    assert before.content == content
