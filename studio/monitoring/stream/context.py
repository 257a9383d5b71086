"""What must be known to ask a served model and to read its answers: preprocessing and names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.api import InvalidData
from studio.datasets.preprocess import FILE as PREPROCESS_FILE
from studio.datasets.preprocess import Preprocess
from studio.models.answers import OutputReader
from studio.monitoring.stream.step import StreamOptions

LABELS_FILE = "labels.txt"
DICTIONARY_FILE = "dictionary.txt"


@dataclass(frozen=True, slots=True)
class ServedContext:
    """What goes with a served model.

    Attributes:
        preprocess: How a picture becomes its input; None where nothing says it.
    """

    preprocess: Preprocess | None
    reader: OutputReader

    @classmethod
    def of(cls, options: StreamOptions, digest: str) -> ServedContext:
        """What the options say; then the deployed bundle; then files beside model and source.

        Args:
            options: Those of the step, prepared.
            digest: Of the release that is served.

        Raises:
            InvalidData: when one of the files cannot be read.
        """
        known = options.known.get(digest, {})
        folders = [Path(known[name]) for name in ("bundle", "beside") if known.get(name)]
        source = Path(options.source)
        if source.is_absolute():
            # The data's own page comes behind what was deployed, before a guess.
            folders.insert(1 if folders else 0, source if source.is_dir() else source.parent)
        settings = options.preprocess or _first(folders, PREPROCESS_FILE)
        labels = options.labels or _first(folders, LABELS_FILE)
        dictionary = options.dictionary or _first(folders, DICTIONARY_FILE)
        return cls(
            Preprocess.from_toml(settings) if settings else None,
            OutputReader(_names(labels), _lines(dictionary) if dictionary else ()),
        )


def _first(folders: list[Path], name: str) -> Path | None:
    return next((path for folder in folders if (path := folder / name).is_file()), None)


def _names(path: Path | None) -> list[str]:
    """The classes of a file that lists them; a file of the labels of samples lists none."""
    lines = _lines(path) if path else []
    is_of_samples = any("," in line or "\t" in line for line in lines)
    return [] if is_of_samples else lines


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(f"{path.name} cannot be read as text.", detail=str(error)) from None
    # Not splitlines: a dictionary may list characters that count as line ends there.
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")
