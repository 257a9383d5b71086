"""Where the data files that ship with the studio are found."""

from __future__ import annotations

from pathlib import Path

import studio


def resource(*parts: str) -> Path:
    """Return the path of a resource (``resource("themes", "dark.toml")``).

    An installed wheel has them inside the package; a checkout has them next to it.
    """
    package = Path(studio.__file__).parent
    inside = package / "_resources"
    base = inside if inside.is_dir() else package.parent / "resources"
    return base.joinpath(*parts)
