"""A bundle on a full disk fails with the folder and with what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from studio.api import StudioError
from studio.packages import build as module


def test_a_full_disk_is_named_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(*_: Any) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "_copy_model", copy)
    folder = tmp_path / "bundle"
    with pytest.raises(StudioError) as raised:
        module.build(None, None, folder)  # type: ignore[arg-type]
    assert raised.value.message == (
        f"The bundle cannot be written: {folder}: {os.strerror(errno.ENOSPC)}."
    )
    assert raised.value.hint.startswith("Free disk space")
