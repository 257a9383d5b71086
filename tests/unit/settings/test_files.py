"""Files that settings, plans and answers rely on, after a power cut."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import durability

PROGRAM = """
import sys
from pathlib import Path
from studio.settings import write_atomically
write_atomically(Path(sys.argv[1]), b"answered")
"""


@pytest.mark.needs("strace")
def test_no_power_cut_undoes_a_file_that_was_written(tmp_path: Path) -> None:
    log, file = tmp_path / "trace", tmp_path / "plans" / "plan.json"
    words = [*durability.command(log), sys.executable, "-c", PROGRAM, str(file)]
    subprocess.run(words, check=True, timeout=60)
    assert file.read_bytes() == b"answered"
    assert f'"{file}"' in log.read_text(), "its rename was traced"
    assert durability.undone_by_a_power_cut(log.read_text(), file.parent) == []
