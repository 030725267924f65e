"""Answers for entries, and what commits have sent to the sink."""

from __future__ import annotations

from collections import Counter, defaultdict

import orjson

from catchwater.answers import Emit, Tally
from catchwater.event import decode


def tallied(entries):
    return [
        (entry, Emit(decode(entry.fields), tally=Tally(**decode(entry.fields).facts)))
        for entry in entries
    ]


def emitted(entries, **more):
    return [(entry, Emit(decode(entry.fields), **more)) for entry in entries]


def bodies(pipeline):
    return [
        orjson.loads(fields[b"body"])
        for fields in pipeline.inside("counted")
        if fields[b"id"] == b"-"
    ]


def values(pipeline, bucket):
    return [
        (sent["generation"], sent["values"])
        for body in bodies(pipeline)
        for sent in body["buckets"]
        if sent["name"] == bucket
    ]


def highest_values(pipeline, bucket):
    """The sum over partitions of the highest value that each sent for a field of the bucket."""
    by_partition = defaultdict(Counter)
    for body in bodies(pipeline):
        for sent in body["buckets"]:
            if sent["name"] == bucket:
                by_partition[body["tag"]] |= Counter(sent["values"])
    return sum(by_partition.values(), Counter())
