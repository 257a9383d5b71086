"""The Plugins page: capabilities, consent, environments."""
