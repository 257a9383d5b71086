"""A first ``preprocess.toml`` of a project: shown before it is written next to the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import TensorType, UsageError, Value
from studio.datasets.preprocess_draft import draft_of, write_draft
from studio.datasets.suffixes import PREPROCESS
from studio.lazy_dataclass import dataclass
from studio.models.results import ModelFigures, Terminal
from studio.registry import Registry, VariantRecord


@dataclass(frozen=True, slots=True)
class PreprocessDraft:
    """A file that may be written.

    Attributes:
        path: Where it will be: in the model's folder.
    """

    path: Path
    text: str

    @classmethod
    def of(cls, registry: Registry, variant: VariantRecord) -> PreprocessDraft:
        """Return the draft for a variant's model, from the shape and type of its input.

        Raises:
            UsageError: when its folder is gone, or has such a file already.
            InvalidData: when the model takes no pictures.
        """
        original = registry.original(variant)
        source = original.source_file
        if source is None or not source.parent.is_dir():
            raise UsageError(f"The folder of {variant.model_name} is gone.", hint="Open it again.")
        path = source.parent / PREPROCESS
        if path.exists() or path.is_symlink():
            raise UsageError(
                f"{path} exists already.",
                hint=f"Set it: studio project set {variant.model_name} --preprocess {PREPROCESS}",
            )
        return cls(path, draft_of(_values(ModelFigures.read(original.summary).inputs)))

    def write(self) -> str:
        """Write it, and return its path.

        Raises:
            StudioError: when a file has come there since, or nothing can be written there.
        """
        return write_draft(self.text, self.path)


def _values(terminals: Sequence[Terminal]) -> list[Value]:
    return [Value(one.name, TensorType(one.dtype, one.shape)) for one in terminals]
