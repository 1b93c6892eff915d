"""What is drawn, the same for maps as for joints, and the checks that both share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Groups = Sequence[Sequence[int]]


def random_shift(greatest: int, rng: np.random.Generator) -> tuple[int, int]:
    """A step down and a step to the right, each of {1..greatest} px with a random sign."""
    sizes = rng.integers(1, greatest + 1, size=2)
    signs = rng.choice(np.array([-1, 1]), size=2)
    down, right = sizes * signs
    return int(down), int(right)


def random_angle(greatest: float, rng: np.random.Generator) -> float:
    """Degrees, uniform from -greatest to greatest; nothing is drawn for 0."""
    return float(rng.uniform(-greatest, greatest)) if greatest else 0.0


def random_factor(limits: tuple[float, float], rng: np.random.Generator) -> float:
    """Uniform in `limits`.

    Raises:
        ValueError: limits that do not rise, or not above 0.
    """
    low, high = limits
    if not 0.0 < low <= high < math.inf:
        raise ValueError(f"limits must be a rising range above 0, got {limits}")
    return float(rng.uniform(low, high))


def random_losses(
    num_keypoints: int, probability: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """(K,): whether a joint is lost, each with `probability`; more are with a greater one.

    Raises:
        ValueError: a probability outside [0, 1].
    """
    check_probability(probability)
    return rng.random(num_keypoints) < probability


def each_alone(num_keypoints: int) -> Groups:
    """Groups of one joint each."""
    return [(joint,) for joint in range(num_keypoints)]


def check_probability(probability: float) -> None:
    """Raise ValueError unless `probability` lies in [0, 1]."""
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability must be from 0 to 1, got {probability}")


def check_reach(unit: str, **reach: float) -> None:
    """Raise ValueError, naming the argument, unless all of `reach` are 0 or more `unit`."""
    for name, greatest in reach.items():
        if not 0.0 <= greatest < math.inf:
            raise ValueError(f"{name} must be 0 or more {unit}, got {greatest}")


def check_groups(groups: Groups, num_keypoints: int) -> None:
    """Raise ValueError unless `groups` hold joints below `num_keypoints`, each once at most."""
    joints = [joint for group in groups for joint in group]
    known = all(0 <= joint < num_keypoints for joint in joints)
    if not known or len(set(joints)) != len(joints):
        raise ValueError(
            f"groups must hold each of {num_keypoints} joints once at most, "
            f"got {tuple(tuple(group) for group in groups)}"
        )
