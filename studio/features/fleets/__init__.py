"""Many boards: one study over all of them."""
