"""Plan, roll out, list and take back releases on targets."""

from studio.deployment.agent import server_info
from studio.deployment.connect import open_channel, root_of, target_of

__all__ = ["open_channel", "root_of", "server_info", "target_of"]
