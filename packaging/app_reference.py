"""The page of the sources, steps and sinks of apps, made from the code: ``docs/app-parts.md``.

Usage: python packaging/app_reference.py > docs/app-parts.md
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from studio.runtime.apps.catalog import SINKS, SOURCES, STEPS

_HEAD = """\
# Sources, steps and sinks of apps

Made from the code by `packaging/app_reference.py`; a test compares the two. How they are put
together: [apps](apps.md).
"""
_REQUIRED = "required"
_NAMES = re.compile(r"    ([a-z_0-9]+(?:, [a-z_0-9]+)*): (.*)")


def page() -> str:
    """Return the text of the page."""
    lines = [_HEAD]
    for title, types in (("Sources", SOURCES), ("Steps", STEPS), ("Sinks", SINKS)):
        lines.append(f"## {title}\n")
        for name, kind in types.items():
            lines += _section(name, kind)
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str, kind: Any) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield " ".join([f"{kind.summary}.", *_kinds(kind)]) + "\n"
    yield "| setting | default | meaning |\n|---|---|---|"
    meanings = _meanings(kind.settings)
    for field in kind.settings._fields:
        default = kind.settings._field_defaults.get(field, _REQUIRED)
        meaning = meanings.get(field, "").replace("``", "`").replace("|", "\\|")
        yield f"| `{field}` | {_shown(default)} | {meaning} |"
    yield ""


def _kinds(kind: Any) -> Iterator[str]:
    if getattr(kind, "takes_pictures", False):
        yield "Takes a source of pictures."
    elif hasattr(kind, "takes"):
        gives = ", ".join(sorted(kind.gives)) or "events"
        yield f"Takes {', '.join(sorted(kind.takes))}."
        yield "Gives what it takes." if kind.follows else f"Gives {gives}."
    elif hasattr(kind, "gives"):
        yield f"Gives {kind.gives}."


def _shown(default: object) -> str:
    if default == _REQUIRED:
        return _REQUIRED
    if default in ("", ()) or isinstance(default, Mapping):
        return "empty"
    if isinstance(default, tuple):
        return f"`{list(default)}`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _meanings(settings: type) -> dict[str, str]:
    """Return the text of each attribute of a docstring."""
    _, _, text = (inspect.getdoc(settings) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        match = _NAMES.fullmatch(line)
        if match:
            names = match.group(1).split(", ")
            found.update(dict.fromkeys(names, match.group(2).strip()))
        elif line.strip():
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
    return found


if __name__ == "__main__":
    print(page(), end="")
