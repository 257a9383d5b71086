"""Steps that name what a picture or an object shows, and read what is written on it."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..crops import crop_of, difference, likeness
from ..items import OBJECTS, PICTURES, TRACKS, VALUES, FrameStamp, Objects, StepOutput
from ..parts import AppContext, Predictor, StepType, kinds
from ..settings import AppError

_MOST_PLACES = 200
_MOST_TOGETHER = 64
_SAME_PLACE = 0.5
_FORGOTTEN_S = 60.0


class ClassifySettings(NamedTuple):
    """Settings of a classifier.

    Attributes:
        model: Name of a model of the app.
        threshold: Least score of the class of an object.
        margin: Share of an object's height that is shown to the model on each side.
    """

    model: str
    threshold: float = 0.0
    margin: float = 0.0


class Classify:
    """Classes of whole pictures as values, or of each object as a detail."""

    def __init__(self, name: str, settings: ClassifySettings, context: AppContext) -> None:
        """Look up the model.

        Raises:
            AppError: when there is no such classifier.
        """
        self._predictor = _model(name, settings.model, ("classification", "probability"), context)
        self._settings = settings

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Classify one picture, or the objects of one."""
        if not isinstance(value, Objects):
            return StepOutput(_scores(self._predictor.pictures([value])[0]))
        details: List[Mapping[str, Any]] = []
        for number in range(value.size):
            found = dict(value.detail(number))
            crop = crop_of(value, number, self._settings.margin)
            if crop is not None:
                found.update(self._best(self._predictor.pictures([crop])[0]))
            details.append(found)
        return StepOutput(value._replace(details=tuple(details)))

    def _best(self, meaning: Mapping[str, Any]) -> Dict[str, Any]:
        scores = _scores(meaning)
        best = max(scores, key=lambda one: scores[one], default="")
        if not best or scores[best] < self._settings.threshold:
            return {}
        return {"class": best, "class_score": scores[best]}


class ReadSettings(NamedTuple):
    """Settings of a reader of text.

    Attributes:
        model: Name of a text recogniser of the app.
        threshold: Least mean likelihood of the characters.
        margin: Share of an object's height that is shown to the model on each side.
        unchanged: A place whose picture differs by less than that from the one that was read is
            not read again; 0 reads every picture.
        again_s: Seconds after which an unchanged place is read again; 0: never.
        orientation: Name of a classifier of the app with the classes ``0`` and ``180``, by which
            lines that stand on their heads are turned; empty: none are.
        turned: Least score of ``180``.
        together: Lines of a picture that run together, those of like width. Each is padded to the
            widest of them, so it may be read otherwise than alone; 0: each alone.
    """

    model: str
    threshold: float = 0.5
    margin: float = 0.0
    unchanged: float = 0.0
    again_s: float = 0.0
    orientation: str = ""
    turned: float = 0.9
    together: int = 0


class _Place:
    """A place that was read."""

    __slots__ = ("corners", "picture", "read_at", "result", "seen_at")

    def __init__(
        self, corners: np.ndarray, picture: np.ndarray, result: Dict[str, Any], now: float
    ) -> None:
        self.corners = corners
        self.picture = picture
        self.result = result
        self.read_at = self.seen_at = now


class Read:
    """Text of each object, or of a whole picture; places that have not changed are not read."""

    def __init__(self, name: str, settings: ReadSettings, context: AppContext) -> None:
        """Look up the models.

        Raises:
            AppError: when there is no such recogniser, or a setting makes no sense.
        """
        if not 0 <= settings.together <= _MOST_TOGETHER:
            sentence = "steps.{}: together is from 0 to {}."
            raise AppError(sentence.format(name, _MOST_TOGETHER))
        self._predictor = _model(name, settings.model, ("text",), context)
        self._settings = settings
        self._orientation: Optional[Predictor] = None
        if settings.orientation:
            self._orientation = _model(name, settings.orientation, ("classification",), context)
        self._places: List[_Place] = []

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Read the objects of one frame."""
        objects = value if isinstance(value, Objects) else _whole(value)
        found: List[Mapping[str, Any]] = [dict(objects.detail(at)) for at in range(objects.size)]
        wanted: List[Tuple[int, np.ndarray, Optional[_Place], np.ndarray]] = []
        for number in range(objects.size):
            crop = crop_of(objects, number, self._settings.margin)
            if crop is None:
                continue
            picture = likeness(crop)
            place = self._known(objects.corners[number])
            if place is not None and self._is_same(place, picture, stamp.time):
                place.seen_at = stamp.time
                found[number] = {**found[number], **place.result}
            else:
                wanted.append((number, crop, place, picture))
        for (number, _, place, picture), result in zip(wanted, self._texts(wanted)):
            found[number] = {**found[number], **result}
            self._learn(objects.corners[number], picture, result, stamp.time, place)
        self._forget(stamp.time)
        return StepOutput(objects._replace(details=tuple(found)))

    def _texts(self, wanted: Sequence[Tuple[int, np.ndarray, Any, Any]]) -> List[Dict[str, Any]]:
        if not wanted:
            return []
        crops = self._upright([crop for _, crop, _, _ in wanted])
        most = self._settings.together
        read = self._predictor
        meanings = read.lines(crops, most) if most else read.pictures(crops)
        return [self._result(one) for one in meanings]

    def _upright(self, crops: List[np.ndarray]) -> List[np.ndarray]:
        """Turn lines of text that stand on their heads."""
        if self._orientation is None:
            return crops
        found = [_scores(one) for one in self._orientation.pictures(crops)]
        return [
            np.rot90(crop, 2) if scores.get("180", 0.0) > self._settings.turned else crop
            for crop, scores in zip(crops, found)
        ]

    def _result(self, meaning: Mapping[str, Any]) -> Dict[str, Any]:
        score = float(meaning.get("score", 0.0))
        text = str(meaning.get("text", "")) if score >= self._settings.threshold else ""
        return {"text": text, "text_score": round(score, 4)}

    def _known(self, corners: np.ndarray) -> Optional[_Place]:
        if not self._settings.unchanged:
            return None
        shares = [_overlap(corners, one.corners) for one in self._places]
        best = int(np.argmax(shares)) if shares else -1
        return self._places[best] if best >= 0 and shares[best] >= _SAME_PLACE else None

    def _is_same(self, place: _Place, picture: np.ndarray, now: float) -> bool:
        again = self._settings.again_s
        if again and now - place.read_at >= again:
            return False
        return difference(place.picture, picture) < self._settings.unchanged

    def _learn(
        self,
        corners: np.ndarray,
        picture: np.ndarray,
        result: Dict[str, Any],
        now: float,
        place: Optional[_Place],
    ) -> None:
        if not self._settings.unchanged:
            return
        if place is not None:
            self._places.remove(place)
        self._places.append(_Place(corners, picture, result, now))

    def _forget(self, now: float) -> None:
        kept = [one for one in self._places if now - one.seen_at < _FORGOTTEN_S]
        self._places = kept[-_MOST_PLACES:]


def _model(name: str, model: str, tasks: Sequence[str], context: AppContext) -> Predictor:
    predictor = context.predictor(model)
    if predictor.task not in tasks:
        sentence = "steps.{}: by its outputs.toml the model {} does {}, and this step needs {}."
        does = predictor.task or "nothing that is known"
        raise AppError(sentence.format(name, model, does, " or ".join(tasks)))
    return predictor


def _scores(meaning: Mapping[str, Any]) -> Dict[str, float]:
    """Return the score of each class by its name."""
    if "probability" in meaning:
        return {str(meaning.get("label", "probability")): float(meaning["probability"])}
    return {str(one["label"]): float(one["score"]) for one in meaning.get("classes", ())}


def _whole(pixels: np.ndarray) -> Objects:
    height, width = pixels.shape[:2]
    return Objects(pixels, np.array([[0.0, 0.0, width, height]]), np.ones(1), ("picture",))


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the intersection over union of two boxes."""
    begin, end = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.clip(end - begin, 0, None)))
    union = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - shared
    return shared / union if union > 0 else 0.0


_TYPES = (
    StepType(
        "classify",
        "Name what a picture or each object shows, with a model",
        kinds(PICTURES),
        kinds(VALUES),
        ClassifySettings,
        Classify,
        shared=True,
    ),
    StepType(
        "classify-objects",
        "Name what each object shows, with a model",
        kinds(OBJECTS, TRACKS),
        kinds(OBJECTS),
        ClassifySettings,
        Classify,
        shared=True,
        follows=True,
    ),
    StepType(
        "read",
        "Read the text of a picture or of each object, with a model",
        kinds(PICTURES, OBJECTS, TRACKS),
        kinds(OBJECTS),
        ReadSettings,
        Read,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
