"""Plan, roll out, list and roll back releases on targets."""

from studio.deployment.liveness import server_info
from studio.targets.connect import open_channel, root_of, target_of

__all__ = ["open_channel", "root_of", "server_info", "target_of"]
