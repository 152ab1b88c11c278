"""
Prometheus' remote-write protocol, as much of it as brings native histograms into a test's server.

Text formats cannot carry native histograms. A write request is protobuf in a snappy frame; both are
written by hand here, as it takes fewer lines than a library's set-up.

Source: prometheus/prometheus, prompb/remote.proto and types.proto; snappy, format_description.txt.
"""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Native:
    """Counts by number of bucket; bucket i of a schema ends at 2 ** (i * 2 ** -schema)."""

    t_ms: int
    counts: Mapping[int, int]
    sum: float = 0.0
    schema: int = 0

    @property
    def count(self) -> int:
        return sum(self.counts.values())


def varint(number: int) -> bytes:
    out = bytearray()
    number &= 0xFFFF_FFFF_FFFF_FFFF
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number: int) -> bytes:
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def field(number: int, value: bytes | float) -> bytes:
    """A field: length-delimited bytes, a varint, or a double."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value)


def histogram(sample: Native) -> bytes:
    spans, deltas, before, last = b"", b"", 0, None
    for bucket in sorted(sample.counts):
        # Spans of one bucket each; the first begins at its own number, others after the gap.
        offset = bucket if last is None else bucket - last - 1
        spans += field(11, varint(1 << 3) + zigzag(offset) + field(2, 1))
        deltas += zigzag(sample.counts[bucket] - before)
        before, last = sample.counts[bucket], bucket
    return b"".join(
        (
            field(1, sample.count),
            field(3, float(sample.sum)),
            varint(4 << 3) + zigzag(sample.schema),
            field(5, 1e-128),
            field(6, 0),
            spans,
            field(12, deltas),
            field(15, sample.t_ms),
        )
    )


def series(labels: Mapping[str, str], samples: Iterable[Native]) -> bytes:
    pairs = (field(1, name.encode()) + field(2, value.encode()) for name, value in labels.items())
    body = b"".join(field(1, pair) for pair in pairs)
    return field(1, body + b"".join(field(4, histogram(sample)) for sample in samples))


def snappy(data: bytes) -> bytes:
    """One frame of literals: valid, and not compressed."""
    out = varint(len(data))
    for begin in range(0, len(data), 1 << 16):
        part = data[begin : begin + (1 << 16)]
        out += bytes((61 << 2,)) + struct.pack("<H", len(part) - 1) + part
    return out


def write(url: str, *all_series: tuple[Mapping[str, str], Iterable[Native]]) -> None:
    """Samples into the server at *url*, started with --web.enable-remote-write-receiver."""
    body = b"".join(series(labels, samples) for labels, samples in all_series)
    request = urllib.request.Request(
        f"{url}/api/v1/write",
        snappy(body),
        {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        },
    )
    with urllib.request.urlopen(request, timeout=10):
        pass
