"""The licences of all parts: compared with the rules, and written as docs/licences.md.

``packaging/licences.py`` writes the page, ``--check`` only compares (part of ``make check``).
"""

from __future__ import annotations

import sys

from parts import DEVELOPMENT, ROOT, RUN_TIME, licence_of, problems, read_lock, rules

PAGE = ROOT / "docs" / "licences.md"
_HEAD = """# Licences of the parts

What `requirements.lock` pins, that is everything that is installed with the studio. Made by
`packaging/licences.py` from the metadata of the installed packages and from
`packaging/licences.toml`, which lists the accepted licences and the exceptions; `make check`
compares the packages of both locks with it. The environments of plugins name their own.

| package | version | licence (SPDX) | where |
|---|---|---|---|
"""
_EXCEPTIONS = """
## Exceptions

| package | licence | why it is used |
|---|---|---|
"""


def main() -> int:
    """Compare, and write or compare the page."""
    found = sorted({*problems(read_lock(DEVELOPMENT)), *problems(read_lock(RUN_TIME))})
    for problem in found:
        print(problem, file=sys.stderr)
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != page():
            print("docs/licences.md is old: run make licences.", file=sys.stderr)
            return 1
    else:
        PAGE.write_text(page(), encoding="utf-8")
    return 1 if found else 0


def page() -> str:
    """The page's text."""
    rows = [
        f"| {part.name} | {part.version} | {licence_of(part.name)} | {part.marker or 'all'} |"
        for part in read_lock(RUN_TIME)
    ]
    others = [
        f"| {name} | {entry['licence']} | {entry['reason']} |"
        for name, entry in sorted(rules()["exceptions"].items())
    ]
    return _HEAD + "\n".join(rows) + "\n" + _EXCEPTIONS + "\n".join(others) + "\n"


if __name__ == "__main__":
    sys.exit(main())
