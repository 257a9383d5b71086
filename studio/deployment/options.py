"""Options of a deployment that a rollout shares: access, observation, downgrade, endpoint.

Nothing heavy is imported: forms and flags are made of them.
"""

from __future__ import annotations

from studio.api import Kind, Option

LOOPBACK, NETWORK = "loopback", "network"

OPTIONS = (
    Option(
        "expose",
        Kind.CHOICE,
        choices=(LOOPBACK, NETWORK),
        choice_titles=("localhost only", "network"),
        title="Expose",
        help="Processes on the target alone, or everybody on its network; by default as it was "
        "there, and the target alone at first.",
    ),
    Option(
        "token",
        Kind.CHOICE,
        choices=("none", "generate", "given"),
        choice_titles=("no token", "generate on target", "from file"),
        title="Token",
        help="What callers must send: one that the target makes (each time a new one), or yours, "
        "from --token-file or $EDGEWRIGHT_TOKEN; by default as it was there, and none at first.",
    ),
    Option(
        "token_file",
        Kind.FILE,
        title="Token file",
        help="File that holds your token in one line; a token is never given as an argument.",
        advanced=True,
    ),
    Option(
        "tls",
        Kind.CHOICE,
        choices=("none", "self-signed", "given"),
        choice_titles=("plain HTTP", "its own certificate", "a certificate of yours"),
        title="TLS",
        help="Encrypt, with a certificate that the target makes and the studio pins, or with "
        "yours from --cert and --key; by default as it was there, and plain HTTP at first.",
    ),
    Option("cert", Kind.FILE, title="Certificate", help="Your chain (PEM).", advanced=True),
    Option("key", Kind.FILE, title="Private key", help="Its key (PEM).", advanced=True),
    Option(
        "allowed_host",
        many=True,
        title="Names",
        placeholder="its own",
        help="Under which it is called beside its own names and addresses, like cam.example.com "
        "or *.example.com; 'none' for no more; by default as it was there. A server without a "
        "token answers no other name of the public Internet.",
        advanced=True,
    ),
    Option(
        "open_to_all",
        Kind.FLAG,
        default=False,
        title="Allow unauthenticated access",
        help="Confirm that the endpoint accepts unauthenticated requests from the network.",
        advanced=True,
        spelling="allow_unauthenticated",
    ),
)


SAMPLES_MB = 64.0

EMBEDDING = Option(
    "embedding",
    title="Embedding for drift",
    help="Tensor for embedding drift: auto or a tensor name (default: off). Needs golden samples.",
    advanced=True,
)

KEPT = (
    Option(
        "agreement",
        Kind.NUMBER,
        default=0.0,
        minimum=0,
        maximum=50,
        unit="% of a core",
        title="Shadow comparison with previous release",
        zero="after a trial no answer is compared",
        help="Also load the previous release and compare its results on some requests, using "
        "up to this share of one core.",
        advanced=True,
        spelling="shadow_cpu",
    ),
    Option(
        "keep_samples",
        Kind.INTEGER,
        default=0,
        minimum=0,
        maximum=10_000,
        title="Keep uncertain requests",
        zero="off",
        help="So many of the requests that the model is least certain of stay on the target, for "
        "labelling (studio monitor --samples). They are what clients have sent: off unless you "
        "say so, with each deploy.",
        advanced=True,
    ),
    Option(
        "samples_mb",
        Kind.NUMBER,
        default=SAMPLES_MB,
        minimum=0.1,
        maximum=100_000,
        unit="MB",
        title="Disk quota for kept requests",
        help="At most so much of the target's disk.",
        advanced=True,
    ),
)
"""What a machine does beside answering; no platform can."""


DOWNGRADE = Option(
    "downgrade",
    title="Reason to go back",
    placeholder="only for an older version",
    help="Why a version that is older than what the target had is to be served there; the "
    "target's history keeps the reason. Without it an older version is refused.",
    advanced=True,
)


ENDPOINT = Option(
    "endpoint",
    placeholder="beside the model that is served",
    help="Serve beside what the target serves already, under this name: the endpoint is then "
    "called TARGET/NAME.",
    advanced=True,
)
REPLACE = Option(
    "replace",
    Kind.FLAG,
    default=False,
    title="Replace another model",
    help="Serve the model in the place of another one. Versions and variants of the model that "
    "is served are replaced without it.",
    advanced=True,
)
