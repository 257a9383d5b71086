"""Attention rollout: how much of each token the layers of a transformer pass on.

Abnar and Zuidema, "Quantifying Attention Flow in Transformers", 2020: the mean over the heads of
each layer, half of it the token itself, multiplied through the layers. It shows where a model
reads, and is no attribution: the values are the same for every class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.api import Array, InvalidModel
from studio.features.evidence.explanations.methods.attribution import Attribution


def rollout(layers: Sequence[Array], tokens: int) -> Attribution:
    """Return the share of each token in the mean over all places; the shares add up to 1.

    Args:
        layers: Attention of each layer, 1 × heads × tokens × tokens, or without heads.

    Raises:
        InvalidModel: when a layer has other sizes.
    """
    found = numpy.eye(tokens)
    for layer in layers:
        if layer.shape[-2:] != (tokens, tokens) or layer.size % (tokens * tokens):
            shape = " x ".join(map(str, layer.shape))
            raise InvalidModel(
                f"The attention has the sizes {shape} for a text of {tokens} tokens."
            )
        mean = layer.reshape(-1, tokens, tokens).astype(numpy.float64).mean(axis=0)
        found = (mean + numpy.eye(tokens)) / 2 @ found
    return Attribution(found.mean(axis=0), by_feature=True)
