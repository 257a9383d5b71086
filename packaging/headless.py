"""The wheel for servers and CI, ``edgewright_headless``: ``packaging/headless.py WHEEL``.

It has the files of the wheel and its requirements without Qt. A distribution of its own, because an
extra can add requirements and never take one away.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

NAME, HEADLESS = "edgewright", "edgewright-headless"
_QT = re.compile(r"^Requires-Dist: PySide6", re.IGNORECASE)
_EXTRA = re.compile(r"^Provides-Extra: webengine$")
_SUMMARY = "Summary: The commands of Edgewright, without its window"
_WHEN = (1980, 1, 1, 0, 0, 0)


def main() -> int:
    """Write the wheel into the folder of the other one."""
    print(headless(Path(sys.argv[1])))
    return 0


def headless(wheel: Path) -> Path:
    """Write the wheel without Qt; returns its path. Equal wheels give equal bytes."""
    path = wheel.with_name(wheel.name.replace(f"{NAME}-", f"{_file_name()}-", 1))
    with zipfile.ZipFile(wheel) as archive:
        files = {_renamed(name): archive.read(name) for name in archive.namelist()}
    (metadata,) = [name for name in files if name.endswith(".dist-info/METADATA")]
    (record,) = [name for name in files if name.endswith(".dist-info/RECORD")]
    files[metadata] = _without_qt(files[metadata].decode()).encode()
    files[record] = _record(files, record)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return path


def _file_name() -> str:
    return HEADLESS.replace("-", "_")


def _renamed(name: str) -> str:
    return re.sub(rf"^{NAME}-(?=[^/]*\.(dist-info|data)/)", f"{_file_name()}-", name)


def _without_qt(metadata: str) -> str:
    head, gap, body = metadata.partition("\n\n")
    lines = [line for line in head.splitlines() if not _QT.match(line) and not _EXTRA.match(line)]
    lines = [f"Name: {HEADLESS}" if line == f"Name: {NAME}" else line for line in lines]
    lines = [_SUMMARY if line.startswith("Summary: ") else line for line in lines]
    return "\n".join(lines) + gap + body


def _record(files: Mapping[str, bytes], record: str) -> bytes:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    for name, content in files.items():
        if name != record:
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            writer.writerow((name, f"sha256={digest.decode()}", len(content)))
    writer.writerow((record, "", ""))
    return rows.getvalue().encode()


if __name__ == "__main__":
    sys.exit(main())
