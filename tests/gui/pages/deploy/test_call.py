"""The call of an endpoint that the Deploy page shows: valid in a shell, without a secret."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.deploy import rows as deploy_rows
from studio.workspace import ReleaseRecord
from tests.gui.page_rig import Rig, opened
from tests.gui.pages.deploy.test_page import BOARD, history, released


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def test_call_is_valid_in_a_shell(rig: Rig) -> None:
    released(rig, 1)
    line = deploy_rows.curl(rig.registry.target("local"), history(rig)[0], rig.variant())
    program = f'curl() {{ printf "%s\\n" "$@"; }}; {line}'
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True)
    arguments = done.stdout.splitlines()
    assert arguments[1] == "http://127.0.0.1:8477/v2/models/digits/infer"
    (tensor,) = json.loads(arguments[-1])["inputs"]
    assert tensor["name"] == "image"
    assert tensor["datatype"] == "FP32"
    assert tensor["shape"] == [1, 1, 8, 8]
    assert len(tensor["data"]) == 64


@pytest.mark.parametrize(
    ("template", "path", "key"),
    [("{{ m }}", "chat/completions", "messages"), ("", "completions", "prompt")],
)
def test_a_language_model_is_called_with_a_text(
    rig: Rig, template: str, path: str, key: str
) -> None:
    released(rig, 1, name="it's")
    variant = rig.variant()
    language = {"chat_template": template}
    writer = replace(variant, summary={**variant.summary, "language": language})
    line = deploy_rows.curl(rig.registry.target("local"), history(rig)[0], writer)
    program = f'curl() {{ printf "%s\\n" "$@"; }}; {line}'
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True)
    arguments = done.stdout.splitlines()
    assert arguments[1] == f"http://127.0.0.1:8477/v1/{path}"
    request = json.loads(arguments[-1])
    assert request["model"] == "it's"
    assert "What can you do?" in str(request[key])


def test_call_of_a_board_goes_through_ssh(rig: Rig) -> None:
    released(rig, 1)
    line = deploy_rows.curl(BOARD, history(rig)[0], rig.variant())
    call = "curl -s http://127.0.0.1:8477/v2/models/digits"
    assert line == f"ssh -p 2222 nvidia@10.0.0.7 {call}"


def guarded(rig: Rig, endpoint: str) -> ReleaseRecord:
    """A release that wants a token and speaks TLS."""
    released(
        rig,
        1,
        endpoint=endpoint,
        root="/root/.edgewright",
        token_required=True,
        fingerprint="0" * 64,
        certificate_file="/data/board.pem",
    )
    return history(rig)[0]


def test_call_brings_the_token_without_showing_it(rig: Rig) -> None:
    release = guarded(rig, "https://127.0.0.1:8477")
    line = deploy_rows.curl(BOARD, release, None)
    board = "/root/.edgewright/access"
    assert line == (
        f'ssh -p 2222 nvidia@10.0.0.7 \'curl -s --cacert "{board}/tls.pem" '
        f'-H "Authorization: Bearer $(head -n 1 {board}/token)" '
        "https://127.0.0.1:8477/v2/models/digits'"
    )
    here = deploy_rows.curl(rig.registry.target("local"), release, None)
    assert f"$(head -n 1 {board}/token)" in here
    abroad = deploy_rows.curl(BOARD, guarded(rig, "https://10.0.0.7:8477"), None)
    assert abroad == (
        'curl -s --cacert "/data/board.pem" -H "Authorization: Bearer $EDGEWRIGHT_TOKEN" '
        "https://10.0.0.7:8477/v2/models/digits"
    )
