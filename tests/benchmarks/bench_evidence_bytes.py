"""Random changes of single bytes in a folder of evidence: how many are found.

Prints one JSON document. The folder is copied first, and stays as it is::

    python -m tests.benchmarks.bench_evidence_bytes FOLDER --changes 1000
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from pathlib import Path

from tests.rigs.changed_bytes import unseen_changes


def main() -> int:
    """Change bytes, print the figures; 1 where a change was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--changes", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / "evidence"
        shutil.copytree(given.folder, copy)
        sizes = [one.stat().st_size for one in copy.rglob("*") if one.is_file()]
        begin = time.monotonic()
        unseen = unseen_changes(copy, given.changes)
    document = {
        "files": len(sizes),
        "bytes": sum(sizes),
        "changes": given.changes,
        "found": given.changes - len(unseen),
        "unseen": [one._asdict() for one in unseen],
        "seconds": round(time.monotonic() - begin, 1),
    }
    print(json.dumps(document, indent=1))
    return 1 if unseen else 0


if __name__ == "__main__":
    raise SystemExit(main())
