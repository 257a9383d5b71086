"""What a killed studio left, and what is not to be touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from studio.jobs.cleanup import new_folder, remove_leftovers


def test_only_what_is_old_and_nobodys_is_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, young, foreign = (tmp_path / name for name in (f"{ended.pid}-a", f"{ended.pid}-b", "x"))
    mine = new_folder(tmp_path)
    errors = tmp_path / f"{ended.pid}-a.stderr"
    for folder in (dead, young, foreign, mine):
        folder.mkdir()
    (dead / "half a model").write_text("x")
    errors.write_text("x")
    for path in (dead, errors, foreign, mine):
        os.utime(path, (1, 1))
    remove_leftovers(tmp_path)
    assert set(tmp_path.iterdir()) == {young, foreign, mine}
