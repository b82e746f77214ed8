"""The HTTP service: a request in, an answer out."""
