"""The server as a systemd service: its unit, what it tells systemd, and the verbs for it.

Without systemd ``release`` starts the same command as a process of its own; its supervisor then
restarts workers by itself, and nothing here is used.
"""
