"""The parts of the browser's tool: server, browser, console, and the check before them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Unavailable
from studio_browser.compiler import Browser

FOLDER = Path(__file__).parents[2] / "plugins" / "studio_browser"
PLACES = "2026-11-30 [V:onnxruntime:, session_state.cc:1385 VerifyEachNodeIsAssignedToAnEp] "

FAKE = """#!{python}
import os, json, time
{start}
rest = b""
while True:
    rest += os.read(3, 65536)
    while b"\\0" in rest:
        line, _, rest = rest.partition(b"\\0")
        call = json.loads(line)
        {answer}
        result = {{"targetId": "t", "sessionId": "s", "result": {{"value": 7}}}}
        os.write(4, json.dumps({{"id": call["id"], "result": result}}).encode() + b"\\0")
"""


def part(name: str) -> Any:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


@pytest.fixture(autouse=True)
def own_parts() -> Iterator[None]:
    """Leave no part behind: tools of other plugins have parts of the same names."""
    yield
    for name in [one for one in sys.modules if one == "tool" or one.startswith("tool_")]:
        del sys.modules[name]


@pytest.fixture
def chromium(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = part("tool_chromium")
    monkeypatch.setattr(module, "_DIRECT", ())
    return module


def fake(folder: Path, patch: pytest.MonkeyPatch, start: str = "", answer: str = "pass") -> None:
    """Put a program on the path that answers every call of the protocol."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "chromium"
    program.write_text(FAKE.format(python=sys.executable, start=start, answer=answer))
    program.chmod(0o755)
    patch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "a.wasm").write_bytes(b"code")
    (tmp_path / "secret").write_bytes(b"secret")
    with part("tool_server").serving({"ort/a.wasm": str(tmp_path / "a.wasm")}) as address:
        yield address


def status(address: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers)) as found:
            return int(found.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_server_sends_named_files_with_the_headers_for_threads(served: str) -> None:
    with urllib.request.urlopen(f"{served}ort/a.wasm") as found:
        assert found.read() == b"code"
        assert found.headers["Content-Type"] == "application/wasm"
        assert found.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert found.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert served.startswith("http://127.0.0.1:")


def test_the_server_sends_nothing_else(served: str) -> None:
    base = served.rsplit("/", 2)[0]
    assert status(f"{base}/ort/a.wasm") == 404, "without the random part"
    for path in ("", "ort", "secret", "ort/../secret", "ort/%2e%2e/secret"):
        assert status(served + path) == 404, path
    assert status(f"{served}ort/a.wasm", Host="example.org") == 404


def test_a_browser_is_called_and_ended(
    tmp_path: Path, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))")
    with chromium.page(str(tmp_path), str(tmp_path / "log")) as page:
        page.open("http://127.0.0.1/")
        assert page.value("3 + 4", 10) == 7
        pid = int((tmp_path / "pid").read_text())
        assert is_alive(pid)
    assert not is_alive(pid)


def opened(chromium: Any, folder: Path) -> Any:
    """Open a page, and return a value of it."""
    with chromium.page(str(folder), str(folder / "log")) as page:
        page.open("http://127.0.0.1/")
        return page.value("1", 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("time.sleep(60) if call['method'] == 'Runtime.evaluate' else 0", "did not answer in time"),
        ("os.kill(os.getpid(), 11)", "Chromium ended by signal 11"),
        ("os._exit(3)", "Chromium ended with status 3"),
        (
            "os.write(4, json.dumps({'method': 'Inspector.targetCrashed'}).encode() + b'\\0')",
            "The page crashed",
        ),
    ],
)
def test_a_browser_that_fails_is_one_sentence(
    tmp_path: Path, chromium: Any, monkeypatch: pytest.MonkeyPatch, answer: str, words: str
) -> None:
    note = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    fake(tmp_path, monkeypatch, note, answer)
    with pytest.raises(chromium.BrowserError, match=words):
        opened(chromium, tmp_path)
    assert not is_alive(int((tmp_path / "pid").read_text()))


def test_a_browser_ends_with_a_tool_that_is_killed(
    tmp_path: Path, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))")
    code = (
        f"import sys, time; sys.path.insert(0, {str(FOLDER)!r}); import tool_chromium as c; "
        f"c._DIRECT = ()\nwith c.page({str(tmp_path)!r}, {str(tmp_path / 'log')!r}): time.sleep(60)"
    )
    tool = subprocess.Popen([sys.executable, "-c", code])
    pid = 0
    until = time.monotonic() + 20
    while not pid and time.monotonic() < until:
        time.sleep(0.05)
        path = tmp_path / "pid"
        pid = int(path.read_text() or 0) if path.exists() else 0
    assert is_alive(pid)
    tool.kill()
    tool.wait()
    until = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_missing_browser_is_one_sentence(
    tmp_path: Path, chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(chromium.BrowserError, match=r"Install the package chromium \(Debian"):
        chromium.program()

    class Installed:
        def version(self, distribution: str) -> str:
            return "1.30.0"

    with pytest.raises(Unavailable, match="Chromium is not installed") as raised:
        Browser(Installed()).version()  # type: ignore[arg-type]
    assert "Debian: apt install chromium" in (raised.value.hint or "")


def test_nodes_of_two_providers_are_told_apart() -> None:
    console = [
        "2026 [V:, x.cc:1383 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on "
        "[CPUExecutionProvider]. Number of nodes: 1",
        f"{PLACES}  QuantizeLinear (image_QuantizeLinear)",
        "2026 [V:, x.cc:1383 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on "
        "[WebGpuExecutionProvider]. Number of nodes: 2",
        f"{PLACES}  Conv (conv1_token_2)",
        f"{PLACES}  MemcpyFromHost (Memcpy)",
    ]
    found = part("tool_log").nodes(console)
    assert [(one.name, one.operator, one.on_chip) for one in found] == [
        ("image_QuantizeLinear", "QuantizeLinear", False),
        ("conv1", "Conv", True),
    ]
    assert found[0].reason
    assert part("tool_log").nodes(["All nodes placed on [CPUExecutionProvider]"]) == []


def test_a_reason_is_without_codes() -> None:
    reason = part("tool_log").reason
    text = "Can't create a session. ERROR_CODE: 9, ERROR_MESSAGE: Could not find\nan operator."
    assert reason(text) == "onnxruntime-web refuses the model: Could not find an operator"
    halves = "x requires f16 but the device does not support it."
    assert "a device may have them" in reason(halves)


def test_a_model_that_is_too_large_is_refused_before_a_browser_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "large.onnx"
    with model.open("wb") as file:
        file.truncate(3_000_000_000)
    monkeypatch.setenv("PATH", str(tmp_path))
    request = {"work": "compile", "source": str(model), "settings": {}, "output": str(tmp_path)}
    found = part("tool").run(request, lambda *words: None)
    assert found["error"].startswith("A browser loads models up to 2000 MB, and this one has 3000")
    assert os.listdir(tmp_path) == ["large.onnx"]
