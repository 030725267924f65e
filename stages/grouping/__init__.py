"""Which issue an error belongs to: pure functions from a raw body to frames, a message and a
fingerprint.

Parsing (`stacks`, `snippet`, `sentry`, `browser`) may get better at any time. What a fingerprint is
made of may not: `v1` and the modules it normalises with are frozen once released; a change is a
`v2`.
"""
