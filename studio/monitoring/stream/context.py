"""Context of a served model for requests and answers: preprocessing and class names."""

from __future__ import annotations

from pathlib import Path

from studio.api import InvalidData
from studio.datasets.output_settings import FILE as OUTPUTS_FILE
from studio.datasets.output_settings import read_outputs
from studio.datasets.preprocess import FILE as PREPROCESS_FILE
from studio.datasets.preprocess import Preprocess
from studio.lazy_dataclass import dataclass
from studio.models.answers import OutputReader
from studio.monitoring.stream.answer_reader import MeaningReader
from studio.monitoring.stream.step import StreamOptions

LABELS_FILE = "labels.txt"
DICTIONARY_FILE = "dictionary.txt"


@dataclass(frozen=True, slots=True)
class ServedContext:
    """The preprocessing and the output reader of a served model.

    Attributes:
        preprocess: Conversion of a picture into the input; None if unknown.
    """

    preprocess: Preprocess | None
    reader: MeaningReader

    @classmethod
    def of(cls, options: StreamOptions, digest: str) -> ServedContext:
        """Find the files: those of the options, of the deployed bundle, then next to the source.

        Args:
            options: Prepared options of the step.
            digest: Digest of the current release.

        Raises:
            InvalidData: when one of the files cannot be read.
        """
        known = options.known.get(digest, {})
        folders = [Path(known[name]) for name in ("bundle", "beside") if known.get(name)]
        source = Path(options.source)
        if source.is_absolute():
            # Files next to the data come after the deployed bundle, but before other guesses.
            folders.insert(1 if folders else 0, source if source.is_dir() else source.parent)
        settings = options.preprocess or _first(folders, PREPROCESS_FILE)
        labels = options.labels or _first(folders, LABELS_FILE)
        dictionary = options.dictionary or _first(folders, DICTIONARY_FILE)
        outputs = _first(folders, OUTPUTS_FILE)
        reader = OutputReader(_names(labels), _lines(dictionary) if dictionary else ())
        return cls(
            Preprocess.from_toml(settings) if settings else None,
            MeaningReader(reader, read_outputs(outputs) if outputs else None),
        )


def _first(folders: list[Path], name: str) -> Path | None:
    return next((path for folder in folders if (path := folder / name).is_file()), None)


def _names(path: Path | None) -> list[str]:
    """Return the class names of a file; a file with labels of samples has none."""
    lines = _lines(path) if path else []
    is_of_samples = any("," in line or "\t" in line for line in lines)
    return [] if is_of_samples else lines


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(f"{path.name} cannot be read as text.", detail=str(error)) from None
    # Not splitlines: a dictionary may list characters that count as line ends for it.
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n")
