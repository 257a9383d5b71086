"""Pictures of explained samples with their maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy

from studio.features.evidence.explanations.heat import scaled
from studio.features.evidence.explanations.map_file import PIXELS
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.survey.views import SamplePicture


def read_pictures(result: ExplainResult) -> Mapping[str, SamplePicture]:
    """Return the pictures of explained samples by the names of their maps; reads a file.

    Raises:
        OSError: when the file of maps is gone.
        ValueError: when it is damaged.
    """
    found: dict[str, SamplePicture] = {}
    with numpy.load(Path(result.maps), allow_pickle=False) as file:
        for one in result.samples:
            if f"{one.map}{PIXELS}" not in file:
                continue
            pixels = file[f"{one.map}{PIXELS}"]
            height, width = pixels.shape[:2]
            maps = {}
            for name in (one.map, *(other.map for other in one.against), f"{one.map}-shuffled"):
                if name in file and file[name].shape == (height, width):
                    shares = (scaled(file[name]).clip(0, 1) * 255).round()
                    maps[name] = shares.astype(numpy.uint8).tobytes()
            found[one.map] = SamplePicture(width, height, pixels.tobytes(), maps)
    return found
