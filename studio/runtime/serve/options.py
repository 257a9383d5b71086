"""The options of the ``serve`` command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, List, NamedTuple, Optional, Tuple

from ..backends.providers import AUTO

if TYPE_CHECKING:  # numpy is loaded with it, which a supervisor does without
    from ..generate.text_model import TextSettings


class Options(NamedTuple):
    """Options of the server; sizes in bytes, times in seconds.

    Attributes:
        root: Folder of releases; exactly one of root, bundle, model and models is given.
        models: Folder of models that are loaded and unloaded by their names.
        request_s: Until an answer must be there; 0 for no limit.
        hang_s: Without a heartbeat of a worker, until its supervisor replaces it; 0 for ever.
        grpc_port: Where gRPC is spoken, 0 for a free port; None for nowhere.
        on_demand: Load a model of the folder only on the first request for it.
        token_file: File with the bearer token that clients must send.
        certificate: File with the server's certificate chain; TLS is spoken when it is given.
        key: File with the certificate's private key.
        threads: Of one inference; 0 to choose by measuring.
        workers: Inferences at the same time; 0 to choose by measuring.
        max_batch: Rows of several requests that are run together; 0 to choose by measuring.
        queue: Requests that may wait for a worker.
        queue_tokens: Tokens of the prompts that wait for a language model, with their answers; 0
            for no limit, None for that of the bundle.
        max_total_tokens: Tokens of one prompt with its answer; as above.
        otlp_endpoint: Address of a collector that gets metrics; empty for none.
        fleet_file: Settings of the broker that gets the state; None for those of the root, if any.
        log_rate: Requests logged a second, at most.
        allowed_hosts: Accepted names in addition to the server's own (see ``hosts``).
        gate: Folder that is shared with a gate, whose clients are answered too, in turn.
        providers: Execution providers in their order (see ``backends.providers.wanted``).
        engine_cache: Folder for what they compile; None for one next to the releases.
        listener: File descriptor of a listening socket that a supervisor holds; -1 without one.
        control: File descriptor of the socket to that supervisor; -1 without one.
        generation: Number that a supervisor gave to what is served.
    """

    root: Optional[Path]
    bundle: Optional[Path]
    model: Optional[Path]
    models: Optional[Path]
    host: str
    port: int
    threads: int
    workers: int
    max_batch: int
    queue: int
    max_body: int
    max_connections: int
    drain_s: float
    request_s: float
    log_rate: float
    grpc_port: Optional[int] = None
    on_demand: bool = False
    token_file: Optional[Path] = None
    certificate: Optional[Path] = None
    key: Optional[Path] = None
    allowed_hosts: Tuple[str, ...] = ()
    gate: Optional[Path] = None
    listener: int = -1
    control: int = -1
    generation: int = 1
    hang_s: float = 30.0
    providers: str = AUTO
    engine_cache: Optional[Path] = None
    queue_tokens: Optional[int] = None
    max_total_tokens: Optional[int] = None
    otlp_endpoint: str = ""
    fleet_file: Optional[Path] = None

    @property
    def place(self) -> Optional[Path]:
        """A folder on the disk that what is served lies on, and that outlives a release."""
        one = self.bundle or self.model
        return self.root or self.models or (None if one is None else one.parent)

    def limited(self, text: TextSettings) -> TextSettings:
        """Return the settings of a language model with the limits that are given."""
        tokens, total = self.queue_tokens, self.max_total_tokens
        return text._replace(
            queue=self.queue,
            queue_tokens=text.queue_tokens if tokens is None else tokens,
            total=text.total if total is None else total,
        )

    def for_worker(self, bundle: Path, listener: int, control: int, generation: int) -> List[str]:
        """Return the command line of a worker that serves a bundle for a supervisor."""
        given = {
            "bundle": bundle,
            "threads": self.threads,
            "workers": self.workers,
            "max-batch": self.max_batch,
            "queue": self.queue,
            "queue-tokens": self.queue_tokens,
            "max-total-tokens": self.max_total_tokens,
            "max-body-mb": self.max_body >> 20,
            "max-connections": self.max_connections,
            "drain-seconds": self.drain_s,
            "request-seconds": self.request_s,
            "log-requests-per-second": self.log_rate,
            "listener": listener,
            "control": control,
            "generation": generation,
            "grpc-port": self.grpc_port,
            "token-file": self.token_file,
            "cert": self.certificate,
            "key": self.key,
            "otlp-endpoint": self.otlp_endpoint or None,
            "fleet-file": self.fleet_file,
        }
        return ["--{}={}".format(name, value) for name, value in given.items() if value is not None]
