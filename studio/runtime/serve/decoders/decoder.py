"""The meaning of a model's outputs as JSON, by the settings of its bundle."""

from __future__ import annotations

from typing import Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ..images.preprocess import PicturePlacement
from . import settings as tasks
from .detections import Detections, in_picture, points_in_picture
from .detectors import detect
from .instances import Area, instances
from .keypoints import COCO, point_names, poses
from .maps import class_map, likelihoods
from .regions import Region, in_reading_order, regions
from .settings import OutputSettings
from .sounds import sound
from .texts import text
from .vectors import classes, embedding, label, probability, row_of, short, values

Json = Dict[str, object]
Outputs = Mapping[str, np.ndarray]


class PictureInInput(NamedTuple):
    """A picture of a request, and where it was in the model's input.

    Attributes:
        height, width: Of the picture, in pixels.
        placement: None where the input is not made from it by known steps.
        pixels: Height x width x 3, RGB, uint8, where the answer is drawn on it.
    """

    height: int
    width: int
    placement: Optional[PicturePlacement] = None
    pixels: Optional[np.ndarray] = None


class FoundObjects(NamedTuple):
    """Objects of one sample in pixels of the picture, the likeliest first.

    Attributes:
        points: Column, row and score of each key point, objects x points x 3.
        masks: The cells of each object, which span its box evenly.
    """

    boxes: Detections
    points: Optional[np.ndarray] = None
    masks: Optional[List[np.ndarray]] = None


class Decoder(NamedTuple):
    """The decoder of one model.

    Attributes:
        labels: Names of the classes, in their order.
        characters: Of a text recogniser, without the blank.
    """

    settings: OutputSettings
    labels: Tuple[str, ...] = ()
    characters: Tuple[str, ...] = ()

    def decode(
        self,
        outputs: Outputs,
        size: Optional[Tuple[int, int]] = None,
        picture: Optional[PictureInInput] = None,
    ) -> Json:
        """Return the meaning of one sample's outputs.

        Args:
            outputs: Arrays by name, with a batch of one.
            size: Height and width of the input of a detector.
            picture: What the input was made of.

        Raises:
            ValueError: in one sentence, when the outputs do not have the form of the settings.
        """
        chosen = self.settings
        if chosen.task in tasks.WITH_OBJECTS:
            return self._objects(outputs, size, picture)
        if chosen.task == tasks.TEXT_DETECTION:
            return self._texts(outputs, size, picture)
        if chosen.task == tasks.SEGMENTATION:
            return class_map(outputs, chosen, self.labels)
        if chosen.task == tasks.TEXT:
            return text(outputs, chosen, self.characters)
        row = row_of(outputs, chosen)
        if chosen.task == tasks.CLASSIFICATION:
            return classes(row, chosen, self.labels)
        if chosen.task == tasks.PROBABILITY:
            return probability(row, chosen, self.labels)
        if chosen.task == tasks.EMBEDDING:
            return embedding(row)
        if chosen.task == tasks.SPEECH:
            return sound(row, chosen)
        return values(row, chosen, self.labels)

    def objects(
        self,
        outputs: Outputs,
        size: Optional[Tuple[int, int]],
        picture: Optional[PictureInInput],
    ) -> FoundObjects:
        """Return the objects of one sample in pixels of the picture, the likeliest first.

        Raises:
            ValueError: in one sentence, when the outputs do not have the form of the settings.
        """
        if size is None:
            raise ValueError("The input of the model is no picture.")
        chosen = self.settings
        if chosen.task == tasks.KEYPOINTS:
            whole = poses(outputs, chosen, size)
            places = _points(whole.points[:, :, :2].reshape(-1, 2), picture)
            points = np.dstack([places.reshape(*whole.points.shape[:2], 2), whole.points[:, :, 2]])
            return FoundObjects(_boxes(whole.boxes, picture), points)
        if chosen.task == tasks.INSTANCES:
            found = instances(outputs, chosen, size, _area(picture))
            return FoundObjects(_boxes(found.boxes, picture), masks=found.masks)
        return FoundObjects(_boxes(detect(outputs, chosen, size), picture))

    def places_of_text(
        self,
        outputs: Outputs,
        size: Optional[Tuple[int, int]],
        picture: Optional[PictureInInput],
    ) -> List[Region]:
        """Return the places of text of one sample in pixels of the picture, as they are read.

        Raises:
            ValueError: in one sentence, when the outputs do not have the form of the settings.
        """
        likely, chosen = likelihoods(outputs, self.settings), self.settings
        limits = chosen.threshold, chosen.region_score, chosen.widen
        found = regions(likely, *limits, in_box=chosen.score_in == "box")
        height, width = size or likely.shape
        scale = np.array([width / likely.shape[1], height / likely.shape[0]], dtype=np.float32)
        moved = [one._replace(corners=one.corners * scale) for one in found[: chosen.most]]
        if picture is None or picture.placement is None:
            return in_reading_order(moved)
        placement, edges = picture.placement, (picture.height, picture.width)
        return in_reading_order(
            one._replace(corners=points_in_picture(one.corners, placement, edges)) for one in moved
        )

    def _texts(
        self,
        outputs: Outputs,
        size: Optional[Tuple[int, int]],
        picture: Optional[PictureInInput],
    ) -> Json:
        texts: List[Json] = []
        for one in self.places_of_text(outputs, size, picture):
            places = [[round(float(x), 2), round(float(y), 2)] for x, y in one.corners]
            texts.append({"score": short(one.score), "corners": places})
        return {"regions": texts}

    def _objects(
        self,
        outputs: Outputs,
        size: Optional[Tuple[int, int]],
        picture: Optional[PictureInInput],
    ) -> Json:
        found = self.objects(outputs, size, picture)
        objects: List[Json] = [
            {
                "label": label(self.labels, int(kind)),
                "index": int(kind),
                "score": short(score),
                "box": [round(float(side), 2) for side in corners],
            }
            for corners, score, kind in zip(*found.boxes)
        ]
        if found.points is not None:
            names = point_names(self.settings, found.points.shape[1])
            if tuple(names) == COCO and not self.labels:
                objects = [{**one, "label": "person"} for one in objects]
            for one, points in zip(objects, found.points):
                one["points"] = [_point(*both) for both in zip(names, points.tolist())]
        for one, mask in zip(objects, found.masks or ()):
            one["mask"] = _runs(mask)
        return {"objects": objects}


def _boxes(boxes: Detections, picture: Optional[PictureInInput]) -> Detections:
    if picture is None:
        return boxes
    return in_picture(boxes, picture.placement, (picture.height, picture.width))


def _points(points: np.ndarray, picture: Optional[PictureInInput]) -> np.ndarray:
    if picture is None or picture.placement is None:
        return points
    return points_in_picture(points, picture.placement, (picture.height, picture.width))


def _area(picture: Optional[PictureInInput]) -> Optional[Area]:
    """Return the part of the input that the picture covers."""
    if picture is None or picture.placement is None:
        return None
    at = picture.placement
    left, top = max(0, at.left), max(0, at.top)
    right, bottom = min(at.width, at.left + at.columns), min(at.height, at.top + at.rows)
    return float(left), float(top), float(right), float(bottom)


def _point(name: str, numbers: List[float]) -> Json:
    x, y, score = numbers
    return {"name": name, "x": round(x, 2), "y": round(y, 2), "score": short(score)}


def _runs(mask: np.ndarray) -> Json:
    """Return a mask as run lengths, row by row: first of cells outside, then inside, and so on."""
    flat = np.concatenate(([False], mask.reshape(-1), [False]))
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    runs = np.diff(np.concatenate(([0], ends, [mask.size])))
    if len(runs) > 1 and runs[-1] == 0:
        runs = runs[:-1]
    height, width = mask.shape
    return {"width": width, "height": height, "runs": runs.tolist()}
