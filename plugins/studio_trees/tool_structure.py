"""The structure of ensembles, validated as untrusted before a library reads it.

The libraries trust counts, indices and nests of a file: they would crash, or read beyond their
arrays. Used by ``tool.py``: numpy alone.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy

Json = Mapping[str, Any]

_ubjson: Any = importlib.import_module("tool_ubjson")

_MOST_LEVELS = 500
"""Of a tree; the converters call themselves once for each."""

_MOST_FEATURES = 1 << 20
_TREE = re.compile(rb"(?m)^(?=Tree=)")
_CLASSES = re.compile(r"\bnum_class:(\S*)")
_OF_SPLITS = ("split_feature", "threshold", "decision_type", "left_child", "right_child")
_MORE_OF_SPLITS = ("split_gain", "internal_value", "internal_weight", "internal_count")
_MORE_OF_LEAVES = ("leaf_weight", "leaf_count")
_NODES = ("right_children", "split_indices", "split_conditions", "default_left", "parents")
_MORE_NODES = ("split_type", "loss_changes", "sum_hessian")


def check(content: bytes) -> None:
    """Check a file of LightGBM or XGBoost.

    Raises:
        ValueError: with the fault of the file.
    """
    if content.startswith(b"tree"):
        _check_lightgbm(content)
    else:
        _check_xgboost(_document(content)["learner"])


def _check_lightgbm(content: bytes) -> None:
    head, found, body = content.partition(b"\nTree=")
    text, ended, _ = (found + body)[1:].partition(b"\nend of trees")
    if not ended:
        raise ValueError("it is cut off: it has no end of trees")
    trees = _TREE.split(text + b"\n")[1:]
    values = _lines(head)
    sizes = [int(size) for size in values.get("tree_sizes", "").split()]
    if sizes and (len(sizes) != len(trees) or sizes[:-1] != [len(one) for one in trees[:-1]]):
        raise ValueError("its trees are not where its head has them")
    features = _features_of_lightgbm(values, len(trees))
    for number, tree in enumerate(trees):
        with_name = _lines(tree)
        _check_tree_of_lightgbm(f"tree {number}", with_name, features)


def _lines(text: bytes) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.decode(errors="replace").split("\n"))
    return {key: value for key, sign, value in pairs if sign}


def _features_of_lightgbm(values: Mapping[str, str], trees: int) -> int:
    """Check the head; returns the number of features."""
    features = int(values["max_feature_idx"]) + 1
    if not features == len(values["feature_names"].split()) == len(values["feature_infos"].split()):
        raise ValueError(f"it does not name each of its {features:,} features")
    for key in ("num_class", "num_tree_per_iteration"):
        if not 1 <= int(values[key]) <= trees:
            raise ValueError(f"its {key} is {int(values[key]):,}, with {trees:,} trees")
    objective = values.get("objective", "").split()
    if not objective:
        raise ValueError("it has no objective")
    classes = _CLASSES.search(values["objective"])
    if classes and classes[1] != values["num_class"]:
        raise ValueError("its objective has another number of classes")
    return features


def _check_tree_of_lightgbm(name: str, values: Mapping[str, str], features: int) -> None:
    leaves = int(values["num_leaves"])
    _numbers(name, values, "leaf_value", leaves, float)
    splits = {key: _numbers(name, values, key, leaves - 1, float) for key in _OF_SPLITS}
    more = {**dict.fromkeys(_MORE_OF_SPLITS, leaves - 1), **dict.fromkeys(_MORE_OF_LEAVES, leaves)}
    for key, count in more.items():
        if values.get(key):
            _numbers(name, values, key, count, float)
    if leaves > 1:
        _check_range(name, "split_feature", splits["split_feature"], 0, features)
        left, right = (splits[f"{side}_child"].astype(numpy.int64) for side in ("left", "right"))
        for side in (left, right):
            _check_range(name, "child", side, -leaves, leaves - 1)
        _check_levels(name, left, right)
        _check_categories_of_lightgbm(name, values, splits)
    if int(values.get("is_linear", "0")):
        _check_linear(name, values, leaves, features)


def _check_categories_of_lightgbm(
    name: str, values: Mapping[str, str], splits: Mapping[str, Any]
) -> None:
    count = int(values.get("num_cat", "0"))
    if count:
        bits = len(values["cat_threshold"].split())
        ends = _numbers(name, values, "cat_boundaries", count + 1, int)
        if ends[0] != 0 or ends[-1] != bits or (numpy.diff(ends) < 0).any():
            raise ValueError(f"the categories of its {name} do not add up")
    is_category = splits["decision_type"].astype(numpy.int64) & 1 == 1
    _check_range(name, "category", splits["threshold"][is_category], 0, count)


def _check_linear(name: str, values: Mapping[str, str], leaves: int, features: int) -> None:
    _numbers(name, values, "leaf_const", leaves, float)
    counts = _numbers(name, values, "num_features", leaves, int)
    _check_range(name, "num_features", counts, 0, features + 1)
    used = _numbers(name, values, "leaf_features", int(counts.sum()), int)
    _numbers(name, values, "leaf_coeff", int(counts.sum()), float)
    _check_range(name, "leaf_features", used, 0, features)


def _numbers(name: str, values: Mapping[str, str], key: str, count: int, kind: type) -> Any:
    words = values.get(key, "").split()
    if len(words) != count:
        raise ValueError(f"its {name} has {len(words):,} of {count:,} values of {key}")
    return numpy.array(words, kind)


def _check_range(name: str, what: str, values: Any, low: int, high: int) -> None:
    if not ((values >= low) & (values < high)).all():
        raise ValueError(f"its {name} has a {what} that is not there")


def _check_levels(name: str, left: Any, right: Any) -> None:
    """Check that each node below the first is the child of one other, in a bounded depth."""
    seen = numpy.zeros(len(left), bool)
    level = numpy.zeros(1, numpy.int64)
    for _ in range(_MOST_LEVELS):
        if seen[level].any() or len(numpy.unique(level)) != len(level):
            raise ValueError(f"its {name} has a node with two parents")
        seen[level] = True
        children = numpy.concatenate((left[level], right[level]))
        level = children[children >= 0]
        if not len(level):
            return
    raise ValueError(f"its {name} is deeper than {_MOST_LEVELS} levels")


def _document(content: bytes) -> Json:
    try:
        if content.lstrip()[:2] == b"{L":
            found = _ubjson.loads(content)
        else:
            found = json.loads(content, object_pairs_hook=_pairs)
    except RecursionError:
        raise ValueError("its values are nested too deep") from None
    if not isinstance(found, dict) or not isinstance(found.get("learner"), dict):
        raise ValueError("it has no learner")
    return found


def _pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has a key twice")
    return found


def _check_xgboost(learner: Json) -> None:
    parameters = learner["learner_model_param"]
    features, classes = int(parameters["num_feature"]), int(parameters.get("num_class", "0"))
    if not 0 <= features <= _MOST_FEATURES:
        raise ValueError(f"it has {features:,} features; {_MOST_FEATURES:,} at most are read")
    booster = learner["gradient_booster"]
    model = booster.get("gbtree", booster)["model"]
    if "trees" not in model:
        raise ValueError("it is a linear model, without trees")
    trees = model["trees"]
    if not 0 <= classes <= max(1, len(trees)) and not _has_vectors(trees):
        raise ValueError(f"it has {classes:,} classes and {len(trees):,} trees")
    info = numpy.array(model["tree_info"], numpy.int64)
    if len(info) != len(trees):
        raise ValueError("it does not know the classes of all trees")
    _check_range("list of trees", "class", info, 0, max(1, classes, _targets(parameters)))
    for number, tree in enumerate(trees):
        _check_tree_of_xgboost(f"tree {number}", tree, features)


def _targets(parameters: Json) -> int:
    return int(parameters.get("num_target", "1"))


def _has_vectors(trees: Sequence[Json]) -> bool:
    return any(int(one["tree_param"].get("size_leaf_vector", "1")) > 1 for one in trees)


def _check_tree_of_xgboost(name: str, tree: Json, features: int) -> None:
    left = numpy.array(tree["left_children"], numpy.int64)
    count = len(left)
    if not 1 <= count == int(tree["tree_param"]["num_nodes"]):
        raise ValueError(f"its {name} has {count:,} of its nodes")
    for key in (*_NODES, *(one for one in _MORE_NODES if one in tree)):
        if len(tree[key]) != count:
            raise ValueError(f"its {name} has {len(tree[key]):,} of {count:,} values of {key}")
    right = numpy.array(tree["right_children"], numpy.int64)
    if (right[left >= 0] < 0).any():
        raise ValueError(f"its {name} has a node with one child")
    for side in (left, right):
        _check_range(name, "child", side, -1, count)
    _check_levels(name, left, numpy.where(left < 0, left, right))
    split = numpy.array(tree["split_indices"], numpy.int64)[left >= 0]
    _check_range(name, "feature", split, 0, features)
    for nodes, first, size in _categories(tree):
        _check_range(name, "category", numpy.array(nodes, numpy.int64), 0, count)
        last = numpy.array(first, numpy.int64) + numpy.array(size, numpy.int64)
        _check_range(name, "category", last, 0, len(tree["categories"]) + 1)


def _categories(tree: Json) -> Iterator[tuple[Any, Any, Any]]:
    keys = ("categories_nodes", "categories_segments", "categories_sizes")
    found = [tree.get(key, ()) for key in keys]
    if len({len(one) for one in found}) != 1:
        raise ValueError("its categories do not add up")
    for values in found[1:]:
        _check_range("categories", "place", numpy.array(values, numpy.int64), 0, 1 << 31)
    if len(found[0]):
        yield found[0], found[1], found[2]
