"""Brokers that boards publish to, as plugins see them."""
