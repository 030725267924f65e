"""What Catchwater does in a second, and what it costs: measured against references in the same
run.
"""
