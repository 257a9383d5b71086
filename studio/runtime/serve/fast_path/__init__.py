"""The short way of requests whose form is known, and batches formed from them."""
