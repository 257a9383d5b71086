"""A Debian board with an arm64 processor, emulated, from first contact to reboot."""
