"""NNCF's post-training quantization as a method next to the studio's own."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy

from studio.api import (
    Dataset,
    Feeds,
    InvalidData,
    Kind,
    Option,
    Progress,
    Toolchain,
    Transformed,
    validate,
)

TOOL = Path(__file__).with_name("tool.py")
_WRITING = 0.1
"""Share of the progress that writing the samples gets."""


class Nncf:
    """The transform. The samples travel as files, and are read one at a time on both sides."""

    id = "nncf"
    title = "int8, by NNCF"
    needs_data = True
    options: Sequence[Option] = (
        Option(
            "preset",
            Kind.CHOICE,
            default="performance",
            choices=("performance", "mixed"),
            help="Symmetric ranges, or asymmetric ones for activations where they lose less.",
        ),
        Option(
            "fast_bias_correction",
            Kind.FLAG,
            default=True,
            help="Correct the biases from one pass; otherwise layer by layer, which is slow.",
        ),
        Option(
            "transformer",
            Kind.FLAG,
            default=False,
            help="Leave in float what transformers lose most by.",
        ),
        Option(
            "keep",
            many=True,
            default=(),
            title="Keep in float",
            help="Nodes that stay in float: names (with * for any characters) or operators.",
        ),
    )

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    def version(self) -> str:
        """Return NNCF's version; raise Unavailable without its environment."""
        return self._toolchain.version("nncf")

    def apply(
        self,
        source: Path,
        output: Path,
        options: Mapping[str, Any],
        data: Dataset | None,
        progress: Progress,
    ) -> Transformed:
        """Write the quantized model.

        Raises:
            InvalidData: when there are no samples.
            StudioError: what NNCF said, in one sentence.
        """
        values = validate(self.options, options)
        self._toolchain.version("nncf")  # said before the samples are written
        if not data:
            raise InvalidData("NNCF needs samples to calibrate with, and there are none.")
        with TemporaryDirectory(dir=output.parent) as scratch:
            samples = Path(scratch, "samples")
            samples.mkdir()
            for number, sample in enumerate(data):
                progress.progress(_WRITING * number / len(data), 1.0, "Writing the samples")
                _write(samples / f"{number:07}.npz", sample.feeds)
            request = {
                "source": str(source),
                "output": str(output),
                "samples": str(samples),
                **values,
                "keep": list(values["keep"]),
            }
            facts = self._toolchain.run(TOOL, request, Path(scratch), _Rest(progress))
        return Transformed(output, "int8", dict(facts))


def _write(path: Path, feeds: Feeds) -> None:
    """Write arrays under their own names, of which ``numpy.savez`` takes some for its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in feeds.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, numpy.asarray(array), allow_pickle=False)


class _Rest:
    """The progress of the tool as the part behind the writing of the samples."""

    def __init__(self, whole: Progress) -> None:
        self._whole = whole

    def progress(self, done: float, total: float, text: str = "") -> None:
        share = done / total if total else 0.0
        self._whole.progress(_WRITING + share * (1 - _WRITING), 1.0, text)

    def log(self, text: str) -> None:
        self._whole.log(text)

    def check(self) -> None:
        self._whole.check()
