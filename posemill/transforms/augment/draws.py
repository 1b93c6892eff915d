"""What is drawn, the same for maps as for joints, and the checks that both share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from posemill.transforms.arguments import joint_numbers, real_number, rising_range, shown

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
    return float(rng.uniform(*rising_range("limits", limits)))


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
    if not 0.0 <= real_number("probability", probability) <= 1.0:
        raise ValueError(f"probability must be from 0 to 1, got {probability}")


def check_degrees(**greatest: float) -> None:
    """Raise ValueError, naming the argument, unless all of `greatest` are 0 or more degrees."""
    for name, degrees in greatest.items():
        if not 0.0 <= real_number(name, degrees) < math.inf:
            raise ValueError(f"{name} must be 0 or more degrees, got {degrees}")


def checked_groups(groups: Groups, num_keypoints: int) -> list[list[int]]:
    """The joint numbers of each group.

    Raises:
        ValueError: a joint that is none of `num_keypoints`, or in two groups.
    """
    if not isinstance(groups, Sequence | np.ndarray):
        raise ValueError(f"groups must be a sequence of groups of joints, got {shown(groups)}")
    checked = [joint_numbers("groups", group, num_keypoints) for group in groups]
    joints = [joint for group in checked for joint in group]
    if len(set(joints)) != len(joints):
        raise ValueError(f"groups must hold each joint once at most, got {shown(checked)}")
    return checked
