"""Other systems, given the same events: see `python -m benchmarks.peers`."""
