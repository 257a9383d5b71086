"""What a runner raises becomes a reason without the codes of its library or system."""

from __future__ import annotations

import errno
import os
from types import SimpleNamespace

from studio.runtime.bench.child import answer


def test_a_full_disk_is_named_without_its_number() -> None:
    def load() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    found = answer(SimpleNamespace(load=load), {"do": "load"})  # type: ignore[arg-type]
    assert found == {"ok": False, "error": "No space left on device"}
