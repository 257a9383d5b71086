"""Check the import contracts of pyproject.toml, in which ``studio_*`` stands for every plugin.

import-linter has no such pattern. This script gives it a copy of the file with
the names of the folders of ``plugins/``.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

PATTERN = '"studio_*"'


def main() -> int:
    """Check the contracts of the working folder; 1 when one is broken."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as config:
        config.write(expanded(Path()))
        config.flush()
        return lint_imports(config.name, no_cache=True)


def expanded(root: Path) -> str:
    """The text of pyproject.toml with the plugins in place of the pattern."""
    names = sorted(path.parent.name for path in root.glob("plugins/*/__init__.py"))
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return text.replace(PATTERN, ", ".join(f'"{name}"' for name in names))


if __name__ == "__main__":
    sys.exit(main())
