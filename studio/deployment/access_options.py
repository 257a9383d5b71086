"""Options of a deploy that say who may call it; nothing heavy: the window makes forms of them."""

from __future__ import annotations

from studio.api import Kind, Option

LOOPBACK, NETWORK = "loopback", "network"

OPTIONS = (
    Option(
        "expose",
        Kind.CHOICE,
        choices=(LOOPBACK, NETWORK),
        choice_titles=("the target itself", "its network"),
        title="Who can reach it",
        help="Processes on the target alone, or everybody on its network; by default as it was "
        "there, and the target alone at first.",
    ),
    Option(
        "token",
        Kind.CHOICE,
        choices=("none", "generate", "given"),
        choice_titles=("no token", "a new one, made on the target", "one of yours"),
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
        title="Anybody may call it",
        help="Say yes to a model that everybody on the network may call without a token.",
        advanced=True,
    ),
)
