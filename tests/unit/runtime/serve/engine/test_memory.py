"""Memory of the server: what its processes load and keep."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from studio.runtime.serve.engine.session import ModelSession, invented_feeds
from tests.unit.runtime.serve import rig

LEFT_OUT = """
import json, sys
from studio.runtime.serve.engine.memory import give_back, import_without_openssl
import_without_openssl("hashlib", "hmac", "asyncio")
loaded = [name for name in ("ssl", "_hashlib") if name in sys.modules]
give_back()
import asyncio, hashlib, hmac, ssl
print(json.dumps([loaded, hashlib.sha256(b"abc").hexdigest(),
    hmac.new(b"k", b"abc", "sha256").hexdigest(), hmac.compare_digest(b"a", b"a"),
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).minimum_version > 0]))
"""


def test_openssl_is_left_out_and_can_be_had_afterwards() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT_OUT], stdout=subprocess.PIPE, check=True)
    digest = hashlib.sha256(b"abc").hexdigest()
    mac = hmac.new(b"k", b"abc", "sha256").hexdigest()
    assert json.loads(done.stdout)[:4] == [[], digest, mac, True]


def test_the_supervisor_stays_small() -> None:
    code = "import sys, studio.runtime.serve.supervision.supervisor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    loaded = set(done.stdout.decode().split())
    assert not loaded & {"numpy", "onnxruntime", "asyncio", "ssl", "ctypes", "inspect", "logging"}
    assert not loaded & {"hashlib", "platform"}


def test_a_server_without_a_language_model_loads_nothing_that_answers_texts() -> None:
    code = "import sys, studio.runtime.serve.worker; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    loaded = set(done.stdout.decode().split())
    assert "studio.runtime.serve.endpoints" in loaded
    of_texts = "studio.runtime.serve.contracts.openai.endpoints", "studio.runtime.generate.loop"
    assert not loaded & {*of_texts, "studio.runtime.encoder.text_encoder"}


def test_what_reads_the_command_line_is_unloaded() -> None:
    code = "import sys; from studio.runtime.serve.command import _parsed; " + (
        "print(_parsed(['--root=/x', '--port=7']).port, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    port, *loaded = done.stdout.decode().split()
    assert port == "7"
    assert not set(loaded) & {"argparse", "gettext", "studio.runtime.serve.arguments"}


def test_a_server_without_tls_has_no_openssl(tmp_path: Path) -> None:
    model = rig.constant(tmp_path / "a.onnx", 1.0)
    with rig.ServerProcess(f"--model={model}", log=tmp_path / "log") as server:
        status, _ = server.get("/v2/health/ready")
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert status == 200
    assert "onnxruntime" in maps
    assert "libssl" not in maps


def test_invented_inputs_differ_from_each_other(tmp_path: Path) -> None:
    session = ModelSession(rig.every_type(tmp_path / "a.onnx"), 1)
    found = invented_feeds(session.inputs)["in_FP32"]
    assert found.dtype == np.float32
    assert len(np.unique(found)) == found.size
    assert found.min() >= 0.0
    assert found.max() < 1.0


def test_a_session_gives_back_what_a_larger_run_took(tmp_path: Path) -> None:
    session = ModelSession(rig.constant(tmp_path / "a.onnx", 2.0), 1)
    feeds = invented_feeds(session.inputs)
    before = session.run(feeds, list(session.outputs))
    session.shrink(feeds)
    after = session.run(feeds, list(session.outputs))
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
