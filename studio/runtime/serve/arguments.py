"""The command line of ``serve``; unloaded once it is read (see ``command``)."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import List

from ..backends.providers import AUTO, VARIABLE, check
from ..shared.errors import LoadError
from ..shared.host_names import ALLOWED_HOSTS
from .options import Options


def parse(arguments: List[str]) -> Options:
    """Read a command line; argparse ends the process with status 2 when it is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if (given.cert is None) != (given.key is None):
        parser.error("--cert and --key belong together")
    if given.on_demand and given.models is None:
        parser.error("--on-demand belongs to --models")
    return Options(
        root=given.root,
        bundle=given.bundle,
        model=given.model,
        models=given.models,
        host=given.host,
        port=given.port,
        threads=given.threads,
        workers=given.workers,
        max_batch=given.max_batch,
        queue=given.queue,
        queue_tokens=given.queue_tokens,
        max_total_tokens=given.max_total_tokens,
        otlp_endpoint=given.otlp_endpoint,
        fleet_file=given.fleet_file,
        max_body=given.max_body_mb << 20,
        max_connections=given.max_connections,
        drain_s=given.drain_seconds,
        request_s=given.request_seconds,
        log_rate=given.log_requests_per_second,
        grpc_port=given.grpc_port,
        on_demand=given.on_demand,
        token_file=given.token_file,
        certificate=given.cert,
        key=given.key,
        allowed_hosts=tuple(_names(given.allowed_host, os.environ.get(ALLOWED_HOSTS, ""))),
        gate=given.gate,
        listener=given.listener,
        control=given.control,
        generation=given.generation,
        hang_s=given.hang_seconds,
        providers=_checked(parser, given.providers or os.environ.get(VARIABLE) or AUTO),
        engine_cache=given.engine_cache,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="serve",
        description="Serve a model over HTTP.",
        # To ask for the terminal's width argparse loads every compression that Python knows.
        formatter_class=lambda prog: argparse.HelpFormatter(prog, width=100),
    )
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--root", type=_path, help="folder of releases; serves the current one")
    source.add_argument("--bundle", type=_path, help="folder of one bundle")
    source.add_argument("--model", type=_path, help="model file")
    source.add_argument("--models", type=_path, help="folder of models, each with its versions")
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=_port, default=8477, help="port, 0 for a free one (%(default)s)")
    add("--grpc-port", type=_port, help="gRPC port, 0 for a free port (needs grpcio)")
    add("--threads", type=_count, default=0, help="threads of one inference (0: measure)")
    add("--workers", type=_count, default=0, help="inferences at the same time (0: measure)")
    add("--max-batch", type=_count, default=0, help="rows run together (0: measure, 1: none)")
    add("--queue", type=_count, default=64, help="requests that may wait (%(default)s)")
    add("--queue-tokens", type=_count, help="tokens that may wait (0: no limit)")
    add("--max-total-tokens", type=_count, help="tokens of a prompt with its answer (0: context)")
    add("--max-body-mb", type=_positive, default=64, help="size of a request (%(default)s)")
    add("--max-connections", type=_positive, default=1024, help="clients (%(default)s)")
    add("--drain-seconds", type=float, default=10.0, help="to end requests (%(default)s)")
    add("--request-seconds", type=float, default=60.0, help="until the answer (0: no limit)")
    add("--on-demand", action="store_true", help="load models of --models on demand")
    add("--hang-seconds", type=float, default=30.0, help="worker timeout (0: no limit)")
    add(
        "--providers",
        help="of ONNX Runtime, such as tensorrt,cuda:1 (or: ${}; auto)".format(VARIABLE),
    )
    add("--engine-cache", type=_path, help="folder for what providers compile")
    add("--token-file", type=_path, help="clients must send this token (or: $EDGEWRIGHT_TOKEN)")
    add("--cert", type=_path, help="certificate chain; with it the server speaks TLS")
    add("--key", type=_path, help="private key of the certificate")
    add("--allowed-host", action="append", default=[], help="name of this server (may be repeated)")
    add("--otlp-endpoint", default="", help="collector of metrics, such as http://host:4318")
    add("--fleet-file", type=_path, help="JSON file with the broker that gets the board's state")
    add("--log-requests-per-second", type=float, default=1.0, help="at most (%(default)s)")
    add("--gate", type=_path, help=argparse.SUPPRESS)
    for name in ("--listener", "--control"):
        add(name, type=int, default=-1, help=argparse.SUPPRESS)
    add("--generation", type=int, default=1, help=argparse.SUPPRESS)
    return parser


def _names(given: List[str], variable: str) -> List[str]:
    found = ",".join((*given, variable)).lower().split(",")
    return list(dict.fromkeys(filter(None, map(str.strip, found))))


def _checked(parser: argparse.ArgumentParser, providers: str) -> str:
    try:
        check(providers)
    except LoadError as error:
        parser.error(str(error))
    return providers


def _path(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise argparse.ArgumentTypeError("must be between 0 and 65535")
    return value
