"""The server of a release as a process or a systemd unit, its access and its probe."""
