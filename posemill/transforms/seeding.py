"""Random generators that depend on what is drawn for, never on who draws or when."""

from __future__ import annotations

import hashlib
from copy import deepcopy

import numpy as np


def view_generators(rng: np.random.Generator, num_views: int) -> list[np.random.Generator]:
    """A generator for each view of a clip; that of view i is the same however many there are.

    So one view can be drawn again without those before it.
    """
    return rng.spawn(num_views)


def equal_generators(rng: np.random.Generator, count: int) -> list[np.random.Generator]:
    """`rng` itself and copies of it, `count` in all, of which each gives the same numbers.

    For what is drawn alike several times.
    """
    copies = [deepcopy(rng) for _ in range(count - 1)]
    return [rng, *copies]


def generator_beside(rng: np.random.Generator) -> np.random.Generator:
    """One of the same seed, apart from all that `rng` gives, now or later; always the same one.

    For what is drawn in addition and must change nothing else.

    Raises:
        ValueError: a generator whose seed is not known.
    """
    seed = rng.bit_generator.seed_seq
    if not isinstance(seed, np.random.SeedSequence):
        raise ValueError(f"expected a generator made by numpy.random.default_rng, got {rng}")
    last_key = (*seed.spawn_key, 2**32 - 1)  # `spawn` counts up from 0
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=last_key))


def clip_generator(seed: int, clip_id: str, epoch: int = 0, view: int = 0) -> np.random.Generator:
    """The generator for one view of one clip in one epoch; equal for equal arguments."""
    digest = hashlib.sha256(clip_id.encode()).digest()
    words = np.frombuffer(digest[:16], dtype="<u4")
    return np.random.default_rng([seed, epoch, view, *(int(word) for word in words)])
