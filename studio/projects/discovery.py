"""Discovery of data, labels and settings in the folder of a model, by their names."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from studio.datasets.suffixes import ARRAYS, IMAGES
from studio.lazy_dataclass import dataclass
from studio.projects.results import ProjectIssue, flag

_MOST_ENTRIES = 5000
"""A folder with more is a download folder rather than a project."""

_LOOKED_AT = 50
_SAMPLES = (*IMAGES, *ARRAYS)
_DATA = (".npz",)
_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "preprocess": (("preprocess",), (".toml",)),
    "outputs": (("outputs",), (".toml",)),
    "calibration": (("calibration", "calib"), _DATA),
    "evaluation": (("evaluation", "eval", "validation", "val"), _DATA),
    "heldout": (("heldout", "held-out", "held_out", "test"), _DATA),
    "labels": (("labels", "classes", "names"), (".txt",)),
    "label_map": (("labelmap", "label_map", "label-map"), (".txt", ".json")),
    "groups": (("groups",), (".csv",)),
    "dictionary": (("dictionary", "dict", "charset"), (".txt",)),
}
"""For each field the stems of its names, the best first, and their endings. Data may also be a
folder."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files found in a folder, by field.

    Attributes:
        paths: Paths by field of the project.
        issues: What was passed over, with the reason.
    """

    paths: dict[str, Path]
    issues: tuple[ProjectIssue, ...]


def discover(model: Path) -> Discovery:
    """Look at the names in the folder of a model's file; nothing is opened.

    A link that leads out of the folder is passed over: a downloaded model could otherwise name
    any file of the user, which would then be packaged and sent to a target.
    """
    folder = model.parent
    names = list(_names(folder))
    if len(names) > _MOST_ENTRIES:
        text = f"{folder} has more than {_MOST_ENTRIES:,} entries, and was not searched."
        return Discovery({}, (ProjectIssue("found", text, "Use studio project set."),))
    paths, issues = {}, []
    for field, (stems, endings) in _NAMES.items():
        for name in _candidates(names, stems, endings):
            path = folder / name
            if not _fits(path, endings):
                continue
            if not inside(path, folder):
                text = f"{name} is a link that leads out of the model's folder."
                issues.append(ProjectIssue(field, text, f"Use studio project set {flag(field)}."))
                continue
            paths[field] = path
            break
    return Discovery(paths, tuple(issues))


def inside(path: Path, folder: Path) -> bool:
    """Return whether a path, with its links followed, is below a folder."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
    except (OSError, RuntimeError):  # a ring of links is a RuntimeError until Python 3.13
        return False


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                yield entry.name
                if count > _MOST_ENTRIES:
                    return
    except OSError:
        return


def _candidates(
    names: Sequence[str], stems: Sequence[str], endings: Sequence[str]
) -> Iterator[str]:
    """Return names that fit a field: by stem, exact ones before longer ones, then by name.

    Only data may go on behind the stem (``calibration-2026.npz``): ``labels-old.txt`` is not the
    labels, and ``test_model.py`` no data.
    """
    longer = endings == _DATA
    for stem in stems:
        exact = [stem, *(stem + ending for ending in endings)]
        yield from (name for name in exact if name in names)
        if longer:
            starts = (f"{stem}-", f"{stem}_")
            yield from sorted(name for name in names if name.lower().startswith(starts))


def _fits(path: Path, endings: Sequence[str]) -> bool:
    if path.is_dir():
        return endings == _DATA and _holds_data(path)
    return path.suffix.lower() in endings and path.is_file()


def _holds_data(folder: Path) -> bool:
    """Return whether a folder has pictures or arrays among its first entries, or one level down."""
    for name in itertools.islice(_names(folder), _LOOKED_AT):
        below = folder / name
        inner = itertools.islice(_names(below), _LOOKED_AT) if below.is_dir() else [name]
        if any(Path(one).suffix.lower() in _SAMPLES for one in inner):
            return True
    return False
