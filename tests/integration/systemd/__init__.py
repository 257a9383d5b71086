"""A Debian board with systemd as its first process, from the first deploy to the last."""
