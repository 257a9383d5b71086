"""What the server of a language model needs of its pod: memory, time to load, time to end."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from studio.api import Parcel, Refused
from studio_kubernetes.manifests.quantities import parse_quantity
from studio_kubernetes.options import AUTOMATIC

GENERATION = "generation"
"""Key of the options of a language model's release, so that a rollback finds it."""

LLM_PORT = 8000
"""The port to which KServe leads the requests for an LLMInferenceService."""

_MIB = 1 << 20
_USUAL = ("256Mi", "512Mi")
_ABOVE = 1.2
"""Limit over request: the prediction was within 3 %, on one kind of machine."""

_UNKNOWN_FACTOR, _UNKNOWN_MIB = 2, 512
_LOAD_BYTES_PER_S = 20_000_000
"""Of a slow disk that has not read the image before."""

_LEAST_LOAD_S = 180
_DRAIN_S = 120
_ANSWER_S = 600
"""Longest whole answer; streams have no limit."""

_ENDING_S = 10
_GRACE_S = 45
SETTLE_S = 5
"""Seconds until the endpoints are updated and a stopping pod gets no new request."""


def facts_of(parcel: Parcel) -> dict[str, Any]:
    """Return what is known of a language model as options; nothing for any other model."""
    given = parcel.manifest.get("generation")
    if not given:
        return {}
    model = dict(parcel.manifest.get("model") or {})
    files = dict(parcel.manifest.get("files") or {})
    size = sum(int(one["bytes"]) for name, one in files.items() if not name.startswith("golden/"))
    return {
        GENERATION: {
            "backend": str(model.get("backend") or ""),
            "bytes": size,
            "cache": str(given.get("cache") or ""),
            "context": int(given.get("context") or 0),
            "memory_mb": parcel.memory_mb,
            "slots": int(given.get("slots") or 1),
        }
    }


def generation_of(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the facts of a release that generates text; empty for any other."""
    found: Mapping[str, Any] = options.get(GENERATION) or {}
    return found


def memory_of(options: Mapping[str, Any]) -> tuple[str, str]:
    """Return the request and the limit of a replica; empty texts for none."""
    request, limit = str(options["memory"] or ""), str(options["memory_limit"] or "")
    facts = generation_of(options)
    usual = _USUAL
    if facts:
        need = _need_mib(facts)
        usual = (f"{need}Mi", f"{math.ceil(need * _ABOVE)}Mi")
    request = usual[0] if request == AUTOMATIC else request
    if limit == AUTOMATIC:
        limit = usual[1] if _size(request) <= _size(usual[1]) else request
    return request, limit


def check_generation(options: Mapping[str, Any]) -> None:
    """Check the options against what a language model needs.

    Raises:
        Refused: with what would do.
    """
    facts, kind = generation_of(options), str(options["kind"])
    if not facts:
        if kind == "llminferenceservice":
            raise Refused(
                "KServe's LLMInferenceService serves language models alone.",
                hint="Leave out kind, or choose inferenceservice.",
            )
        if options["scale_on"] == "waiting":
            raise Refused(
                "Only language models have slots that requests wait for.",
                hint="Choose scale_on=requests or scale_on=cpu.",
            )
        return
    _check_scaling(options, kind)
    if kind == "llminferenceservice" and options["ingress"]:
        raise Refused("KServe makes the way to an LLMInferenceService.", hint="Leave out ingress.")
    _, limit = memory_of(options)
    need = int(facts["memory_mb"])
    if limit and need and _size(limit) < Decimal(need) * 1_000_000:
        raise Refused(
            f"The model takes about {need:,} MB with {facts['slots']} slots of "
            f"{facts['context']:,} tokens, more than the memory limit of {limit}.",
            hint="Raise memory_limit, or deploy with a smaller --context or fewer --slots.",
        )


def _check_scaling(options: Mapping[str, Any], kind: str) -> None:
    if int(options["max_replicas"]) <= int(options["replicas"]):
        return
    if kind == "llminferenceservice":
        raise Refused(
            "An LLMInferenceService is scaled by KEDA or WVA, which are set up in the cluster.",
            hint="Set max_replicas to 0, or deploy with kind=deployment.",
        )
    if kind != "deployment" and options["scale_on"] == "waiting":
        raise Refused(
            "An InferenceService is scaled by CPU or by requests in flight.",
            hint="Choose scale_on=requests.",
        )


def loading_s(options: Mapping[str, Any]) -> int:
    """Return the longest time until a language model has loaded, in seconds; 0 for others."""
    facts = generation_of(options)
    return _LEAST_LOAD_S + int(facts["bytes"]) // _LOAD_BYTES_PER_S if facts else 0


def drain_s(options: Mapping[str, Any]) -> int:
    """Return the time for answers to end, in seconds; 0 leaves it to the server."""
    return int(options.get("drain_s") or 0) or (_DRAIN_S if generation_of(options) else 0)


def grace_s(options: Mapping[str, Any]) -> int:
    """Return the time until a stopping pod is killed, in seconds."""
    drain = drain_s(options)
    return max(_GRACE_S, SETTLE_S + drain + _ENDING_S) if drain else _GRACE_S


def server_options(options: Mapping[str, Any]) -> list[str]:
    """Return the arguments of the server that differ from its defaults."""
    drain = drain_s(options)
    found = ["--drain-seconds", str(drain)] if drain else []
    if generation_of(options):
        found += ["--request-seconds", str(_ANSWER_S)]
    return found


def environment(options: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the variables of the server of a language model.

    Threads of llama.cpp that spin use up the CPU time of a pod while they wait for each other.
    """
    if generation_of(options).get("backend") != "llama-cpp":
        return []
    return [{"name": "GOMP_SPINCOUNT", "value": "1000"}]


def _need_mib(facts: Mapping[str, Any]) -> int:
    if facts["memory_mb"]:
        return math.ceil(int(facts["memory_mb"]) * 1_000_000 / _MIB)
    return math.ceil(_UNKNOWN_FACTOR * int(facts["bytes"]) / _MIB) + _UNKNOWN_MIB


def _size(text: str) -> Decimal:
    """Return the bytes of a quantity; 0 for what is none, which the rules report."""
    try:
        return parse_quantity(text)
    except ValueError:
        return Decimal(0)
