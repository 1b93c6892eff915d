"""Refusals that the samplers share."""

from __future__ import annotations


def check_counts(**counts: int) -> None:
    """Raise ValueError, naming the argument, unless all of `counts` are at least 1."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
