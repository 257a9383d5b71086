"""The recognition of what kind of data a path holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Dataset, InvalidData, Value
from studio.datasets.arrays import ArrayDataset, ArrayFolder
from studio.datasets.images import ImageFolder
from studio.datasets.label_map import LabelMap
from studio.datasets.labels import labels_of_folder
from studio.datasets.preprocess import FILE as PREPROCESS_FILE
from studio.datasets.preprocess import Preprocess
from studio.datasets.preprocess_draft import is_picture, shell_line
from studio.datasets.suffixes import ARRAYS, IMAGES, VIDEOS
from studio.datasets.video import VideoDataset
from studio.settings.project_preprocess import ProjectPreprocess


def open_dataset(
    path: Path,
    inputs: Sequence[Value],
    limit: int | None = None,
    label_map: LabelMap | None = None,
) -> Dataset:
    """Open samples for a model with these inputs.

    ``path`` is one of: an ``.npz`` whose keys are the inputs' names (one array of any name will do
    for a single input) with labels under ``labels``, ``y`` or ``texts``; an ``.npy`` for a single
    input; a folder of ``.npy`` or ``.npz`` files, one a sample; a folder of images with a
    ``preprocess.toml``; a video, or a folder of videos, with a ``preprocess.toml`` next to it.
    Labels of a folder stand in ``labels.csv`` or ``labels.txt`` as
    ``file,label`` lines, or each class has a sub-folder.

    An array whose rank is the input's is cut along the input's batch axis; one with one axis more
    holds whole feeds, one a row.

    Args:
        limit: At most this many samples, spread evenly over the data.
        label_map: The model's classes for the labels of the data.

    Raises:
        InvalidData: in one sentence, when the data cannot be read or does not fit. What can be
            seen from headers is raised here, the rest while iterating.
    """
    if not path.exists():
        raise InvalidData(f"No data at {path}.")
    if not inputs:
        raise InvalidData("The model has no inputs, so no data can be given to it.")
    if path.is_dir():
        return _open_folder(path, inputs, limit, label_map)
    if path.suffix.lower() == ".npz":
        return ArrayDataset.of_npz(path, inputs, limit, label_map)
    if path.suffix.lower() == ".npy":
        return ArrayDataset.of_npy(path, inputs, limit)
    if path.suffix.lower() in VIDEOS:
        return _open_videos([path], path.parent, inputs, limit)
    raise InvalidData(
        f"{path.name} is not a kind of data that can be read.",
        hint="Give an .npz or .npy file, a video, or a folder of arrays, of images or of videos.",
    )


def _open_videos(
    files: Sequence[Path], folder: Path, inputs: Sequence[Value], limit: int | None
) -> Dataset:
    value = _only(inputs, "A video")
    return VideoDataset(files, value, _preprocess(folder, "a video", value), limit)


def _only(inputs: Sequence[Value], what: str) -> Value:
    if len(inputs) != 1:
        raise InvalidData(
            f"{what} can only be given to a model with one input, and this has {len(inputs)}.",
            hint="Use an .npz file with one array for each input.",
        )
    return inputs[0]


def _open_folder(
    folder: Path, inputs: Sequence[Value], limit: int | None, label_map: LabelMap | None
) -> Dataset:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    arrays = [file for file in files if file.suffix.lower() in ARRAYS]
    images = [file for file in files if file.suffix.lower() in IMAGES]
    if arrays and images:
        raise InvalidData(
            f"{folder.name} holds both arrays ({arrays[0].name}) and images ({images[0].name}); "
            "only one kind can be the data."
        )
    samples = arrays or images
    if not samples:
        videos = [file for file in files if file.suffix.lower() in VIDEOS]
        if videos:
            return _open_videos(videos, folder, inputs, limit)
        raise InvalidData(
            f"{folder.name} holds no samples: no .npy, .npz, .png, .jpg or video file is in it."
        )
    names = [file.relative_to(folder).as_posix() for file in samples]
    labels = labels_of_folder(folder, names, label_map)
    if arrays:
        return ArrayFolder(folder, arrays, inputs, labels, limit)
    value = _only(inputs, "Images")
    return ImageFolder(folder, images, value, _preprocess(folder, "images", value), labels, limit)


def _preprocess(folder: Path, what: str, value: Value) -> Preprocess:
    # That of the model's folder fits all pictures below it; their own comes before it. That of
    # the project fits its model.
    own = folder / PREPROCESS_FILE
    known = (own, folder.parent / PREPROCESS_FILE, ProjectPreprocess.path or own)
    path = next((one for one in known if one.is_file()), own)
    if not path.is_file():
        if not is_picture(value):
            raise InvalidData(
                f"{folder.name} holds {what}, but the model's input {value.name!r} is "
                f"{value.type or 'of unknown type'}: it takes no pictures."
            )
        raise InvalidData(
            f"{folder.name} holds {what} but no {PREPROCESS_FILE}, which says how pictures become "
            "the model's input.",
            hint=f"A first one, whose color, scale, mean and std are to be checked: "
            f"{shell_line(value, path)}",
        )
    return Preprocess.from_toml(path)
