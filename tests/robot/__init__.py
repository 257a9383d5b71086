"""A robot that clicks and types at random in the real window, and what it must not find."""
