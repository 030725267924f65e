"""Noise: events that no line of the project is to blame for.

What is dropped and why stands in docs/filters.md.
"""
