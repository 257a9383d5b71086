"""The settings of a fleet, and the choices of one publication."""

from __future__ import annotations

from studio.api import Kind, Option

OWN, SWUPDATE = "edgewright", "swupdate"

TARGET_OPTIONS = (
    Option(
        "login",
        Kind.FILE,
        title="Login file",
        help="File with user:password for the server's API, which its owner alone can read.",
    ),
    Option(
        "ca",
        Kind.FILE,
        title="Certificate authority",
        help="Authority that signed the server's certificate (default: those of the system).",
    ),
    Option(
        "plain",
        Kind.FLAG,
        False,
        title="Plain HTTP",
        help="Reach the server without TLS. Only on a network that you trust.",
        advanced=True,
    ),
)

DEPLOY_OPTIONS = (
    Option(
        "hardware",
        title="Hardware",
        default="default",
        help="Hardware that boards report, as NAME or NAME/REVISION.",
        advanced=True,
    ),
    Option(
        "downgrade",
        title="Reason for an older release",
        help="Boards accept a release that is older than theirs only with a reason.",
        advanced=True,
    ),
    Option(
        "order_key",
        Kind.FILE,
        title="Key of the order",
        help="SSH key that signs the order of an older release, for boards with allowed signers.",
        advanced=True,
    ),
    Option(
        "wait_s",
        Kind.NUMBER,
        0,
        title="Wait for boards",
        help="Time to watch the boards after publication; 0 publishes and returns.",
        unit="s",
        zero="do not wait",
        minimum=0,
        maximum=86400,
    ),
    Option(
        "most_failed",
        Kind.NUMBER,
        10,
        title="Failed boards",
        help="Percent of answers that may be failures while the boards are watched. "
        "Beyond it the rollout is paused.",
        unit="%",
        minimum=0,
        maximum=100,
    ),
    Option(
        "format",
        Kind.CHOICE,
        OWN,
        title="Client of the boards",
        choices=(OWN, SWUPDATE),
        choice_titles=("Edgewright", "SWUpdate"),
        help="Program that polls on the boards: the studio's own client, or SWUpdate.",
        advanced=True,
    ),
    Option(
        "swupdate_key",
        Kind.FILE,
        title="Key for SWUpdate",
        help="Private key (PEM) that signs artefacts for SWUpdate.",
        advanced=True,
    ),
    Option(
        "swupdate_certificate",
        Kind.FILE,
        title="Certificate for SWUpdate",
        help="Its certificate (PEM), which the boards know.",
        advanced=True,
    ),
    Option(
        "board_root",
        title="Folder on the boards",
        default="/var/lib/edgewright",
        help="Folder of releases on boards with SWUpdate.",
        advanced=True,
    ),
)
