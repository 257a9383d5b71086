"""Evidence about models, as the window shows it."""
