"""The server as a systemd service: its unit, its notifications, and the verbs for it.

Without systemd ``release`` starts the same command as a process of its own; its supervisor then
restarts workers, and nothing here is used.
"""
