"""No login of a broker in a command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.test_process_lists import SECRET, assert_hidden, run
from tests.integration.fleet.conftest import secret_file
from tests.rigs.command_lines import command_lines
from tests.rigs.nats_server import NatsServer

pytestmark = [pytest.mark.rig, pytest.mark.needs("strace", "nats-server")]


def test_no_program_gets_the_login_of_a_broker_in_its_words(served: Studio, tmp_path: Path) -> None:
    users = f'authorization {{ user: "ann", password: "{SECRET}" }}'
    server = NatsServer(tmp_path / "nats", users)
    login = secret_file(tmp_path / "login", user="ann", password=SECRET)
    where = ("--source", f"nats://127.0.0.1:{server.port}", "--login", login)
    server.start()
    try:
        with command_lines(os.getpid(), tmp_path / "starts") as starts:
            run(served, "fleet", "status", *where, "--create")
            run(served, "fleet", "join", "--target", "local", *where, "--board", "desk-1")
    finally:
        server.stop()
    assert_hidden(starts)
