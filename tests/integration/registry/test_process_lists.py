"""No password of a shared registry in a command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.registry.servers.address import SharedAddress
from tests.e2e.conftest import Studio
from tests.e2e.test_process_lists import assert_hidden, run
from tests.rigs.command_lines import command_lines

pytestmark = [pytest.mark.rig, pytest.mark.needs("strace")]


def test_no_program_gets_the_passwords_in_its_words(
    new_studio: Callable[[str], Studio], address: SharedAddress, digits: Path, tmp_path: Path
) -> None:
    studio = new_studio("anna")
    passwords = [
        line.rsplit(":", 1)[1] for line in Path(os.environ["PGPASSFILE"]).read_text().split()
    ]
    secrets = {*passwords, os.environ["AWS_SECRET_ACCESS_KEY"]}
    with command_lines(os.getpid(), tmp_path / "starts") as starts:
        blobs = ("--blobs", address.blobs, "--s3-endpoint", address.endpoint)
        run(studio, "registry", "use", address.database, *blobs)
        run(studio, "evaluate", digits / "digits.onnx", "--data", digits / "heldout.npz")
        run(studio, "registry", "check")
    assert_hidden(starts)
    assert [words for words in starts if any(secret in words for secret in secrets)] == []
