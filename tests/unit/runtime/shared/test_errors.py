"""A lack of memory is recognised, whatever part of an import it hits."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

from studio.runtime.shared.errors import is_out_of_memory, reports_no_memory

PROGRAM = """
import resource, sys
from studio.runtime.shared.errors import is_out_of_memory
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = held + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    import numpy
except Exception as error:
    print(is_out_of_memory(error))
else:
    print("imported")
"""


@pytest.mark.parametrize("megabytes", [1, 4, 16, 32, 64, 2000])
def test_numpy_without_memory(megabytes: int) -> None:
    words = [sys.executable, "-c", PROGRAM, str(megabytes << 20)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    words = done.stdout.split()
    assert words == ["imported" if megabytes == 2000 else "True"] or reports_no_memory(done.stderr)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "x"), True),
        (OSError(errno.ENOSPC, "x"), False),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (
            ImportError(
                "libx.so: failed to map segment from shared object: Operation not permitted"
            ),
            False,
        ),
        (ImportError("No module named 'numpy'"), False),
        (ValueError("a text about out of memory"), False),
    ],
)
def test_what_counts(error: BaseException, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
