"""Apps with real cameras, brokers and kills."""
