"""Texts of a recogniser with CTC: Graves et al., "Connectionist Temporal Classification", 2006."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

import numpy as np

from ..images.answer import probabilities
from .settings import OutputSettings
from .vectors import short


def text(
    outputs: Mapping[str, np.ndarray], settings: OutputSettings, characters: Sequence[str]
) -> Dict[str, object]:
    """Return the text of one sample, with the mean likelihood of its characters.

    The likeliest class of each step, without repetitions and without the blank.

    Args:
        characters: By class, without the blank; dictionaries seldom list the space, which is then
            the last class.

    Raises:
        ValueError: when the output does not fit the dictionary.
    """
    name = settings.output or next(iter(outputs), "")
    array = outputs.get(name)
    if array is None or array.ndim != 3 or 1 not in array.shape[:2]:
        raise ValueError("The output {!r} is not one row of steps.".format(name))
    steps = array.reshape(-1, array.shape[-1]).astype(np.float64)
    names = _names(characters, steps.shape[1], settings.blank)
    best = steps.argmax(axis=1)
    changed = np.concatenate(([True], best[1:] != best[:-1])) if len(best) else np.zeros(0, bool)
    kept = np.flatnonzero(changed & (best != settings.blank))
    likely = [float(probabilities(steps[at])[best[at]]) for at in kept]
    score = short(float(np.mean(likely))) if likely else 0.0
    return {"text": "".join(names[best[at]] for at in kept), "score": score}


def _names(characters: Sequence[str], classes: int, blank: int) -> List[str]:
    missing = classes - 1 - len(characters)
    if missing not in (0, 1) or blank >= classes:
        sentence = "The output has {:,} classes, and the dictionary {:,} characters."
        raise ValueError(sentence.format(classes, len(characters)))
    names = [*characters, *([" "] * missing)]
    names.insert(blank, "")
    return names
