"""Whether an event costs the same however much there is, and what the limits are: see
`python -m benchmarks.flat`.
"""
