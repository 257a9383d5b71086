"""The board's side of its state at a broker: settings, waiting counts, clients."""
