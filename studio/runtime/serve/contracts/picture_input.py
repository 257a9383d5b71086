"""A picture of a request as the input of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Tuple

import numpy as np

from ..engine.served_model import ServedModel
from ..http.message import Body, HttpError
from ..protocol.tensor_data import bad

if TYPE_CHECKING:
    from ..decoders.decoder import PictureInInput


def prepared(
    content: Body, model: ServedModel, keep: bool = False
) -> Tuple[Dict[str, np.ndarray], PictureInInput]:
    """Return the one input of a model, prepared from a picture as its bundle describes.

    The second part is where the picture is in it.

    Args:
        keep: Return the pixels of the picture, too.

    Raises:
        HttpError: 415 when the model takes no pictures; otherwise what is wrong with this one.
    """
    preprocess = model.source.preprocess
    if preprocess is None or len(model.inputs) != 1:
        reason = "its bundle has no preprocess" if preprocess is None else "it has several inputs"
        raise HttpError(415, "The model {!r} takes no pictures: {}.".format(model.name, reason))
    (spec,) = model.inputs.values()
    from ..images.decoding import decode_picture  # with the first picture: most servers get none

    try:
        picture = decode_picture(content)
        array = preprocess.apply(picture)
    except ValueError as error:
        raise HttpError(400, str(error)) from None
    if array.dtype != spec.kind.dtype or not spec.accepts(array.shape):
        raise bad(
            "The picture becomes {} {}, but the input {!r} is {} {}.",
            array.dtype.name,
            list(array.shape),
            spec.name,
            spec.kind.name,
            list(spec.shape),
        )
    height, width = picture.shape[:2]
    pixels = picture if keep else None
    # Here, as a server of tensors decodes nothing.
    from ..decoders.decoder import PictureInInput

    placed = PictureInInput(height, width, preprocess.placement(height, width), pixels)
    return {spec.name: array}, placed
