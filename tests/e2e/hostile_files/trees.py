"""Ensembles of trees whose counts lie."""

from __future__ import annotations

import json
import struct
from typing import Any

from tests.e2e.hostile_files.kinds import Hostile, Make, written

_LIGHTGBM = {
    "version": "v4",
    "num_class": "1",
    "num_tree_per_iteration": "1",
    "label_index": "0",
    "max_feature_idx": "1",
    "objective": "regression",
    "feature_names": "a b",
    "feature_infos": "[0:1] [0:1]",
}
_TREE = {
    "num_leaves": "2",
    "num_cat": "0",
    "split_feature": "0",
    "split_gain": "1",
    "threshold": "0.5",
    "decision_type": "2",
    "left_child": "-1",
    "right_child": "-2",
    "leaf_value": "1 2",
    "leaf_weight": "1 1",
    "leaf_count": "1 1",
    "internal_value": "0",
    "internal_weight": "0",
    "internal_count": "2",
    "is_linear": "0",
    "shrinkage": "1",
}


def _lines(values: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in values.items())


def lightgbm(tree: dict[str, str] | None = None, **head: str) -> bytes:
    """Return a model of one tree, with some of its values replaced."""
    body = f"{_lines({**_TREE, **(tree or {})})}\n\n"
    size = len(f"Tree=0\n{body}")
    top = _lines({**_LIGHTGBM, "tree_sizes": f"{size} {size}", **head})
    parts = f"Tree=0\n{body}Tree=1\n{body}"
    return f"tree\n{top}\n{parts}end of trees\n\nparameters:\nend of parameters\n".encode()


def xgboost(tree: dict[str, Any] | None = None, **parameters: str) -> dict[str, Any]:
    """Return a model of one tree, with some of its values replaced."""
    nodes = {
        "base_weights": [0.0, 1.0, 2.0],
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": [0, 0, 0],
        "id": 0,
        "left_children": [1, -1, -1],
        "loss_changes": [1.0, 0.0, 0.0],
        "parents": [2147483647, 0, 0],
        "right_children": [2, -1, -1],
        "split_conditions": [0.5, 1.0, 2.0],
        "split_indices": [0, 0, 0],
        "split_type": [0, 0, 0],
        "sum_hessian": [2.0, 1.0, 1.0],
        "tree_param": {
            "num_deleted": "0",
            "num_feature": "2",
            "num_nodes": "3",
            "size_leaf_vector": "1",
        },
    }
    counts = {"num_parallel_tree": "1", "num_trees": "1"}
    model = {
        "gbtree_model_param": counts,
        "iteration_indptr": [0, 1],
        "tree_info": [0],
        "trees": [{**nodes, **(tree or {})}],
    }
    base = {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_target": "1"}
    return {
        "learner": {
            "attributes": {},
            "feature_names": [],
            "feature_types": [],
            "gradient_booster": {"model": model, "name": "gbtree"},
            "learner_model_param": {**base, "num_feature": "2", **parameters},
            "objective": {
                "name": "reg:squarederror",
                "reg_loss_param": {"scale_pos_weight": "1"},
            },
        },
        "version": [3, 2, 0],
    }


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


_NEST = b'{"learner":' + b"[" * 500_000
_UBJSON = b"{L" + struct.pack(">q", 7) + b"learner"
"""The first key of a model in UBJSON."""

_COUNT = b"[$d#L" + struct.pack(">q", (1 << 62))
_RING = {"left_children": [0, 0, 0], "right_children": [0, 0, 0]}
_OUTSIDE = {"left_children": [1 << 30, -1, -1], "right_children": [1 << 30, -1, -1]}
_LARGE = {
    "tree_param": {
        "num_deleted": "0",
        "num_feature": "2147483647",
        "num_nodes": "2147483647",
        "size_leaf_vector": "1",
    }
}


def _one(name: str, make: Make, words: str) -> Hostile:
    return Hostile(name, make, words, command=("convert", "{file}"))


FILES = (
    _one(
        "LightGBM of many leaves",
        written("m.txt", lightgbm({"num_leaves": "2147483647"})),
        "2 of 2,147,483,647 values of leaf_value",
    ),
    _one(
        "LightGBM of -5 leaves",
        written("m.txt", lightgbm({"num_leaves": "-5"})),
        "2 of -5 values of leaf_value",
    ),
    _one(
        "LightGBM in a ring",
        written("m.txt", lightgbm({"left_child": "0", "right_child": "0"})),
        "a node with two parents",
    ),
    _one(
        "LightGBM with children outside",
        written("m.txt", lightgbm({"left_child": "999999", "right_child": "-999999"})),
        "a child that is not there",
    ),
    _one(
        "LightGBM with a feature outside",
        written("m.txt", lightgbm({"split_feature": "1000000"})),
        "a split_feature that is not there",
    ),
    _one(
        "LightGBM of many features",
        written("m.txt", lightgbm(max_feature_idx="2147483646")),
        "does not name each of its 2,147,483,647 features",
    ),
    _one(
        "LightGBM of many classes",
        written("m.txt", lightgbm(num_class="2000000000")),
        "its num_class is 2,000,000,000",
    ),
    _one(
        "LightGBM of no class",
        written("m.txt", lightgbm(num_class="0", num_tree_per_iteration="0")),
        "its num_class is 0",
    ),
    _one(
        "LightGBM whose trees are elsewhere",
        written("m.txt", lightgbm(tree_sizes="999999999 9")),
        "not where its head has them",
    ),
    _one(
        "LightGBM without an objective",
        written("m.txt", lightgbm(objective="")),
        "it has no objective",
    ),
    _one("XGBoost of nested lists", written("m.json", _NEST), "nested too deep"),
    _one("XGBoost in a ring", written("m.json", _json(xgboost(_RING))), "a node with two parents"),
    _one(
        "XGBoost with children outside",
        written("m.json", _json(xgboost(_OUTSIDE))),
        "a child that is not there",
    ),
    _one("XGBoost of many nodes", written("m.json", _json(xgboost(_LARGE))), "has 3 of its nodes"),
    _one(
        "XGBoost of many features",
        written("m.json", _json(xgboost(num_feature="2147483647"))),
        "1,048,576 at most are read",
    ),
    _one(
        "XGBoost of many classes",
        written("m.json", _json(xgboost(num_class="2147483647"))),
        "it has 2,147,483,647 classes",
    ),
    _one(
        "XGBoost with a feature outside",
        written("m.json", _json(xgboost({"split_indices": [999999, 0, 0]}))),
        "a feature that is not there",
    ),
    _one(
        "XGBoost in UBJSON with a huge count", written("m.ubj", _UBJSON + _COUNT), "it is cut off"
    ),
    _one(
        "XGBoost in UBJSON of nested lists",
        written("m.ubj", _UBJSON + b"[" * 500_000),
        "nested too deep",
    ),
)
