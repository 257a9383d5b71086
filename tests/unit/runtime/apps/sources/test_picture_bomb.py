"""A small file that is a huge picture, as a hostile camera sends it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("cv2")

SIDE, MOST_MB = 32_000, 300
PROGRAM = f"""
import resource, struct, zlib
from studio.runtime.apps.sources.pictures import decoded

def chunk(kind, content):
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

packer = zlib.compressobj(1)
rows = b"".join(packer.compress(bytes({SIDE + 1})) for _ in range({SIDE})) + packer.flush()
head = struct.pack(">IIBBBBB", {SIDE}, {SIDE}, 8, 0, 0, 0, 0)
picture = chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
try:
    decoded(b"\\x89PNG\\r\\n\\x1a\\n" + picture)
except ValueError as error:
    print(error)
# Not getrusage, whose maximum begins with that of the process that started this one.
status = open("/proc/self/status").read()
print(int(status.split("VmHWM:")[1].split()[0]) >> 10)
"""


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    # In a process of its own: OpenCV reads its limit as it is loaded.
    words = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True)
    sentence, megabytes = done.stdout.splitlines()
    assert sentence == "not a picture that can be read here"
    assert int(megabytes) < MOST_MB
