"""A small encoder of texts: a WordPiece tokenizer and a table of vectors as an ONNX model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WORDS = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "pump", "##s", "run", "##ning", "dry"),
    *("hall", "##way", ",", ".", "!", "é", "e", "cafe", "中", "国", "a", "b", "##b", "3"),
)
WIDTH = 6
TABLE = np.random.default_rng(3).standard_normal((len(WORDS), WIDTH)).astype(np.float32)
MOST = 16

Modes = Sequence[str]


def write_encoder(
    folder: Path,
    *,
    modes: Modes = ("mean_tokens",),
    normalize: bool = True,
    rows: int | str = "rows",
    columns: int | str = "columns",
    **config: object,
) -> Path:
    """Write the folder of an encoder as sentence-transformers has it; return its model.

    Args:
        modes: Poolings that are on.
        rows, columns: Sizes of the inputs; names for any size.
        config: More keys of ``config.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    modules = [
        {"idx": place, "path": "" if place == 0 else f"{place}_{kind}", "type": f"models.{kind}"}
        for place, kind in enumerate(kinds)
    ]
    pooling = {f"pooling_mode_{mode}": True for mode in modes}
    (folder / "1_Pooling").mkdir(exist_ok=True)
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": WIDTH, **pooling})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": MOST})
    _write(folder / "config.json", {"max_position_embeddings": 512, **config})
    _write(folder / "tokenizer.json", tokenizer())
    return write_table(folder / "encoder.onnx", rows, columns)


def tokenizer(**changed: object) -> dict[str, object]:
    """Return the content of a ``tokenizer.json``."""
    special = [
        {"id": number, "content": word, "special": True, "normalized": False}
        for number, word in enumerate(WORDS[:5])
    ]
    sides = [{"SpecialToken": {"id": name}} for name in ("[CLS]", "[SEP]")]
    ends = {name: {"id": name, "ids": [WORDS.index(name)]} for name in ("[CLS]", "[SEP]")}
    return {
        "truncation": {"max_length": 4},
        "padding": {"strategy": {"Fixed": 4}, "pad_id": 0},
        "added_tokens": special,
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [sides[0], {"Sequence": {"id": "A"}}, sides[1]],
            "special_tokens": ends,
        },
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: number for number, word in enumerate(WORDS)},
        },
        **changed,
    }


def write_table(path: Path, rows: int | str = "rows", columns: int | str = "columns") -> Path:
    """Write a model whose vector of a token is a row of the table, and 0 where the mask is 0."""
    value = helper.make_tensor_value_info
    shape = [rows, columns]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows_of_table"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["rows_of_table", "wide"], ["masked"]),
        helper.make_node("Cast", ["token_type_ids"], ["kinds"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["kinds", "last"], ["wide_kinds"]),
        helper.make_node("Add", ["masked", "wide_kinds"], ["last_hidden_state"]),
    ]
    names = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        nodes,
        "encoder",
        [value(name, TensorProto.INT64, shape) for name in names],
        [value("last_hidden_state", TensorProto.FLOAT, [*shape, WIDTH])],
        [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array([2]), "last")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def expected(tokens: Sequence[int], *, normalize: bool = True) -> np.ndarray:
    """Return the mean of the vectors of tokens, by hand."""
    mean = TABLE[list(tokens)].astype(np.float64).mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean) if normalize else mean)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
