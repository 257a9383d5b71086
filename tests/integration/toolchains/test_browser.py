"""Models in a real Chromium: onnxruntime-web on WebAssembly and on WebGPU's software adapter."""

from __future__ import annotations

import functools
import http.server
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from studio.jobs.sandbox import Sandbox, containment
from tests.e2e.conftest import STUDIO, Studio
from tests.integration.toolchains.test_toolchains import install

pytestmark = pytest.mark.needs("chromium", "npm", "bwrap")

_LONG = 600
PLUGIN = Path(__file__).parents[3] / "plugins" / "studio_browser"


@pytest.fixture(scope="module")
def browser(kept: Studio) -> Studio:
    install(kept, "browser")
    return kept


@pytest.fixture(scope="module")
def models(browser: Studio, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Digits by preset."""
    folder = tmp_path_factory.mktemp("browser")
    found = {"fp32": digits / "digits.onnx"}
    for preset in ("int8", "fp16"):
        found[preset] = folder / f"{preset}.onnx"
        data = ("--data", digits / "calibration.npz", "--out", found[preset])
        browser.ok("quantize", found["fp32"], "--preset", preset, *data, timeout=_LONG)
    return found


def checked(studio: Studio, digits: Path, model: Path, chip: str, *more: str | Path) -> Any:
    data = ("--data", digits / "calibration.npz")
    done = studio.run("check", model, "--for", chip, *data, *more, "--json", timeout=_LONG)
    assert done.code == (3 if done.json["verdict"] == "refused" else 0), done.err
    return done.json


def browsers() -> set[int]:
    """Processes of Chromium on this computer."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"--remote-debugging-pipe" in path.read_bytes():
                found.add(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("precision", "limit"), [("fp32", 1e-5), ("int8", 1e-5), ("fp16", 1e-5)])
def test_wasm_computes_the_same(
    browser: Studio, digits: Path, models: Any, precision: str, limit: float
) -> None:
    found = checked(browser, digits, models[precision], "browser-wasm")
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "emulated", False)
    assert found["nodes"]["fallback"] == 0
    assert found["numbers"]["samples"] == 32
    assert found["numbers"]["max_error"] < limit
    assert found["numbers"]["argmax_equal"] == 1.0


@pytest.mark.parametrize(("precision", "verdict"), [("fp32", "runs"), ("int8", "partly")])
def test_webgpu_computes_the_same(
    browser: Studio, digits: Path, models: Any, precision: str, verdict: str
) -> None:
    found = checked(browser, digits, models[precision], "browser-webgpu")
    assert (found["verdict"], found["how"]) == (verdict, "emulated")
    assert found["numbers"]["max_error"] < 1e-5
    assert found["numbers"]["argmax_equal"] == 1.0
    assert {one["operator"] for one in found["refused"]} <= {"QuantizeLinear"}


def test_webgpu_without_halves_is_a_refusal_with_its_reason(
    browser: Studio, digits: Path, models: Any
) -> None:
    found = checked(browser, digits, models["fp16"], "browser-webgpu")
    assert found["verdict"] == "refused"
    assert "shader-f16" in found["reason"]
    assert "browser-wasm" in found["reason"]


@pytest.mark.parametrize(("precision", "error"), [("int8", 0.5), ("fp16", 0.99)])
def test_other_numbers_of_the_older_build_are_caught(
    browser: Studio, digits: Path, models: Any, tmp_path: Path, precision: str, error: float
) -> None:
    """The build ort.all raises no error: it answers noise for int8 and zeros for fp16."""
    out = tmp_path / "web"
    found = checked(browser, digits, models[precision], "browser-webgpu-all", "--out", out)
    assert (found["verdict"], found["artefact"]) == ("refused", "")
    assert found["numbers"]["max_error"] > error
    assert found["numbers"]["argmax_equal"] < 0.5
    assert "answers with other numbers, without an error" in found["reason"]
    assert "Use the build ort.webgpu" in found["reason"]
    assert not out.exists()


def test_an_operator_that_the_runtime_lacks_is_named(browser: Studio, tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(one, TensorProto.FLOAT, [1, 4]) for one in "xy"]
    node = helper.make_node("Magic", ["x"], ["y"], name="one", domain="example")
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("example", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "new.onnx")
    done = browser.run("check", tmp_path / "new.onnx", "--for", "browser-wasm", "--json")
    assert (done.code, done.json["verdict"], done.json["artefact"]) == (3, "refused", "")
    assert "onnxruntime-web refuses the model" in done.json["reason"]
    assert "example:Magic" in done.json["reason"]


def test_a_cancelled_check_leaves_no_browser(browser: Studio, digits: Path, models: Any) -> None:
    before = browsers()
    words = ("check", str(models["fp32"]), "--for", "browser-webgpu")
    command = [str(STUDIO), *words, "--data", str(digits / "calibration.npz")]
    process = subprocess.Popen(
        command, env=browser.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 120
    while not browsers() - before and time.monotonic() < until and process.poll() is None:
        time.sleep(0.05)
    assert browsers() - before, "no browser was started"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    until = time.monotonic() + 20
    while browsers() - before and time.monotonic() < until:
        time.sleep(0.1)
    assert not browsers() - before


class Plain(http.server.SimpleHTTPRequestHandler):
    """A static server as Python has it, without headers for threads."""

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def static(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(Plain, directory=str(tmp_path / "web"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(PLUGIN))
    yield importlib.import_module("tool_chromium")
    del sys.modules["tool_chromium"]


@pytest.mark.parametrize(
    ("chip", "providers"),
    [("browser-wasm", ["wasm"]), ("browser-webgpu", ["wasm", "webgpu"])],
)
def test_the_folder_shows_equal_numbers_from_any_static_server(
    browser: Studio,
    digits: Path,
    models: Any,
    tmp_path: Path,
    static: str,
    chromium: Any,
    chip: str,
    providers: list[str],
) -> None:
    found = checked(browser, digits, models["fp32"], chip, "--out", tmp_path / "web")
    files = [path for path in (tmp_path / "web").rglob("*") if path.is_file()]
    assert found["bytes"] == sum(path.stat().st_size for path in files)
    names = {str(path.relative_to(tmp_path / "web")) for path in files}
    assert {"index.html", "README.md", "LICENSE-onnxruntime.txt", "model.onnx"} <= names
    assert sum(name.endswith(".wasm") for name in names) == 1
    profile = tmp_path / "profile"
    profile.mkdir()
    with chromium.page(str(profile), str(tmp_path / "log")) as page:
        page.open(static)
        until = time.monotonic() + 60
        while page.value("typeof window.results", 30) != "object" and time.monotonic() < until:
            time.sleep(0.1)
        results = page.value("window.results", 120)
        text = page.value("document.body.innerText", 10)
    assert [one["provider"] for one in results] == providers
    assert all(one["good"] and one["equal"] == 4 and one["worst"] < 1e-5 for one in results), text
    assert "4 of 4" in text
    assert "Threads are off" in text
    assert os.path.exists(tmp_path / "web" / "golden" / "3.expected.npz")


INSIDE = """
import sys, time
sys.path.insert(0, {plugin!r})
import tool_chromium
for address in {addresses!r}:
    with tool_chromium.page({profile!r}, {log!r}) as page:
        page.open(address)
        until = time.monotonic() + 30
        while page.value("location.href", 30) == "about:blank" and time.monotonic() < until:
            time.sleep(0.1)
        print(page.value("document.body.innerText.split('\\\\n')[0]", 30))
"""


def test_a_browser_behind_walls_reaches_no_file_of_the_home(tmp_path: Path, static: str) -> None:
    """A page that may read files finds neither the home nor a server outside of the walls."""
    profile, home = tmp_path / "profile", tmp_path / "home"
    for folder in (profile, home, tmp_path / "web"):
        folder.mkdir()
    (home / "secret.txt").write_text("the secret")
    (tmp_path / "web" / "index.html").write_text("the outside")
    code = INSIDE.format(
        plugin=str(PLUGIN),
        profile=str(profile),
        log=str(profile / "log"),
        addresses=[f"file://{home}/secret.txt", static],
    )
    command = [sys.executable, "-c", code]
    free = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert free.stdout.splitlines() == ["the secret", "the outside"], free.stderr
    sandbox = Sandbox(containment(), profile, (PLUGIN,))
    assert sandbox.is_closed
    with sandbox.start(command, stdout=subprocess.PIPE) as process:
        found = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 0
    assert len(found.splitlines()) == 2, "both pages were opened"
    assert "the secret" not in found
    assert "the outside" not in found


def test_a_missing_chromium_is_one_sentence(
    browser: Studio, digits: Path, models: Any, tmp_path: Path
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("bwrap", "sh"):
        (path / name).symlink_to(f"/usr/bin/{name}")
    old = browser.environment["PATH"]
    browser.environment["PATH"] = str(path)
    try:
        done = browser.run("check", models["fp32"], "--for", "browser-wasm")
    finally:
        browser.environment["PATH"] = old
    assert done.code == 1
    assert "Chromium is not installed" in done.err
    assert "apt install chromium" in done.err
