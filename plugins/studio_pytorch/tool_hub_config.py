"""The class and the configuration of a model of transformers, from a checked ``config.json``.

Used by ``tool_hub.py``: transformers alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import transformers
from transformers.models.auto import modeling_auto

Json = Mapping[str, Any]

_parts: Any = importlib.import_module("tool_models")

ATTENTION = "eager"
"""Attention written as plain operators: neither kernels of a hub nor fused ones."""

_TASKS = (
    *("", "FOR_SEQUENCE_CLASSIFICATION", "FOR_TOKEN_CLASSIFICATION", "FOR_QUESTION_ANSWERING"),
    *("FOR_MASKED_LM", "FOR_NEXT_SENTENCE_PREDICTION", "FOR_PRETRAINING", "FOR_TEXT_ENCODING"),
    *("FOR_IMAGE_CLASSIFICATION", "FOR_SEMANTIC_SEGMENTATION", "FOR_OBJECT_DETECTION"),
    *("FOR_IMAGE_SEGMENTATION", "FOR_DEPTH_ESTIMATION", "FOR_IMAGE_TO_IMAGE", "FOR_IMAGE"),
    *("FOR_ZERO_SHOT_IMAGE_CLASSIFICATION", "FOR_AUDIO_CLASSIFICATION", "FOR_CTC"),
    *("FOR_AUDIO_FRAME_CLASSIFICATION", "FOR_AUDIO_XVECTOR", "FOR_BACKBONE"),
)
_WRITERS = (
    *("FOR_CAUSAL_LM", "FOR_SEQ_TO_SEQ_CAUSAL_LM", "FOR_SPEECH_SEQ_2_SEQ"),
    *("FOR_IMAGE_TEXT_TO_TEXT", "FOR_MULTIMODAL_LM", "FOR_TEXT_TO_WAVEFORM"),
    *("FOR_TEXT_TO_SPECTROGRAM",),
)
_DROPPED = frozenset(
    {"architectures", "dtype", "torch_dtype", "transformers_weights", "transformers_version"}
    | {"_name_or_path", "name_or_path", "_commit_hash", "attn_implementation", "fusion_config"}
    | {"_attn_implementation", "_attn_implementation_internal", "experts_implementation"}
    | {"_experts_implementation", "_experts_implementation_internal", "compile_config"}
    | {"use_cache", "output_attentions", "output_hidden_states", "return_dict", "torchscript"}
    | {"base_model_tp_plan", "base_model_pp_plan", "base_model_ep_plan", "use_return_dict"}
    | {"distributed_config", "tie_encoder_decoder"}
)
"""Settings of how a library loads and runs a model; they are the studio's."""

_COUNT = re.compile(r"layer|depth|block|stage|expert|head")
_MOST_COUNT = 4096
_NAMES = ("id2label", "label2id")
"""Objects whose keys are words of their author."""

_NAME = re.compile(r"[A-Za-z]\w*")


def model_of(given: Json) -> tuple[Any, Any]:
    """Return the class of a model and its configuration.

    Raises:
        ConversionError: for code, quantized weights, a model that writes text, or an unknown one.
    """
    _check(given)
    kind = _class_of(given)
    plain = _plain(given)
    config = transformers.CONFIG_MAPPING[given["model_type"]].from_dict(plain)
    config.use_cache = False
    return kind, config


def _check(given: Json) -> None:
    places = list(_objects(given))
    if any(one.get("auto_map") for one in places):
        raise _parts.ConversionError(
            "The model has a class of its own (auto_map), and code of a folder is not run; export "
            "it to .pt2 where its class is."
        )
    if any(one.get("quantization_config") for one in places):
        raise _parts.ConversionError(
            "The weights are quantized; convert the model in float and quantize its ONNX file."
        )
    for key, value in (pair for one in places for pair in one.items()):
        numbers = value if isinstance(value, list) else [value]
        if _COUNT.search(key) and any(_is_huge(one) for one in numbers):
            raise _parts.ConversionError(f"config.json has a {key[:60]} above {_MOST_COUNT:,}.")


def _is_huge(value: Any) -> bool:
    return isinstance(value, int | float) and value > _MOST_COUNT


def _class_of(given: Json) -> Any:
    kind = given.get("model_type")
    names = given.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    if not isinstance(kind, str) or not isinstance(name, str):
        raise _parts.ConversionError(
            "config.json names no class: it needs model_type and architectures."
        )
    if not _NAME.fullmatch(name) or kind not in transformers.CONFIG_MAPPING:
        raise _parts.ConversionError(
            f"transformers {transformers.__version__} does not know the architecture {kind[:60]!a}."
        )
    writers = _classes(kind, _WRITERS)
    # Detectors have an encoder and a decoder, too, and no class that writes.
    if name in writers or (writers and given.get("is_encoder_decoder")):
        raise _parts.ConversionError(
            f"{name} writes its answer token by token, with a cache from step to step, which is "
            "not converted here. Export it with optimum-cli export onnx and open the ONNX files."
        )
    if name not in _classes(kind, _TASKS):
        raise _parts.ConversionError(
            f"{name} is no class of {kind} in transformers {transformers.__version__} that has an "
            "ONNX form here."
        )
    return getattr(transformers, name)


def _classes(kind: str, tasks: tuple[str, ...]) -> set[str]:
    """Return the classes of an architecture for tasks."""
    found: set[str] = set()
    for task in tasks:
        names = "_".join(filter(None, ("MODEL", task, "MAPPING_NAMES")))
        value = getattr(modeling_auto, names, {}).get(kind, ())
        found |= {value} if isinstance(value, str) else set(value)
    return found


def _objects(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for name, one in value.items():
            if name not in _NAMES:
                yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)


def _plain(value: Any) -> Any:
    """Return a configuration without settings of how it is loaded, in its parts neither."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name not in _DROPPED}
    return [_plain(one) for one in value] if isinstance(value, list) else value
