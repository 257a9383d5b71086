"""Steps of apps: each turns the values of one frame into others, or into events."""
