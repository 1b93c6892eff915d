"""Maps to colours, pixel by pixel."""

from __future__ import annotations

import numpy as np

from posemill.pipelines.drawing import LEFT, MIDDLE, RIGHT, Colour, limb_colour
from posemill.schema import Float32, Skeleton, UInt8

# Two ends and a middle that most colour-blind people tell apart (ColorBrewer's PRGn).
APPEARS: Colour = (0, 136, 55)
GOES: Colour = (123, 50, 148)
UNCHANGED: Colour = (240, 240, 240)
WHITE: Colour = (255, 255, 255)


def shade(maps: Float32, colours: Float32) -> UInt8:
    """The greatest of K maps at every pixel, in its map's colour: (H, W, 3), RGB.

    Args:
        maps: (K, H, W); 0 is black, 1 and more the full colour.
        colours: (K, 3) in [0, 255].
    """
    winner = maps.argmax(axis=0)
    greatest = np.take_along_axis(maps, winner[None], axis=0)[0].clip(0.0, 1.0)
    return _to_uint8(colours[winner] * greatest[..., None])


def change(maps: Float32) -> UInt8:
    """The greatest change of K maps at every pixel, green where it is more, purple where less.

    Args:
        maps: (K, H, W); 0 is light grey, 1 and -1 the full colours.
    """
    winner = np.abs(maps).argmax(axis=0)
    value = np.take_along_axis(maps, winner[None], axis=0)[0].clip(-1.0, 1.0)[..., None]
    ends = np.where(value > 0, as_rgb(APPEARS), as_rgb(GOES))
    ground = as_rgb(UNCHANGED)
    return _to_uint8(ground + (ends - ground) * np.abs(value))


def direction(vectors: Float32) -> UInt8:
    """The colour of every vector: its direction is the hue, its length the brightness.

    To the right is red; clockwise follow yellow, green, cyan (to the left), blue and magenta.

    Args:
        vectors: (..., 2), x to the right, y down; of length 0 they are black, of 1 bright.

    Returns:
        (..., 3), RGB.
    """
    x, y = vectors[..., 0], vectors[..., 1]
    sixths = np.arctan2(y, x) * np.float32(3.0 / np.pi)
    corner = np.array([0.0, 4.0, 2.0], np.float32)
    hue = (np.abs((sixths[..., None] + corner) % 6.0 - 3.0) - 1.0).clip(0.0, 1.0)
    return _to_uint8(255.0 * hue * np.hypot(x, y).clip(0.0, 1.0)[..., None])


def field(vectors: Float32) -> UInt8:
    """The longest of L vectors at every pixel, coloured by `direction`: (H, W, 3).

    Args:
        vectors: (L, 2, H, W): x and y of each.
    """
    winner = np.hypot(vectors[:, 0], vectors[:, 1]).argmax(axis=0)
    longest = np.take_along_axis(vectors, winner[None, None], axis=0)[0]
    return direction(np.moveaxis(longest, 0, -1))


def joint_colours(skeleton: Skeleton | None, count: int) -> Float32:
    """(K, 3) colours of joints by their side; white for `count` joints of another skeleton."""
    if skeleton is None or skeleton.num_keypoints != count:
        return np.tile(as_rgb(WHITE), (count, 1))
    sides = {"left": LEFT, "right": RIGHT}
    names = [name.partition("_")[0] for name in skeleton.keypoints]
    return np.array([sides.get(name, MIDDLE) for name in names], np.float32)


def limb_colours(skeleton: Skeleton | None, count: int) -> Float32:
    """(L, 3) colours of limbs by their side; white for `count` limbs of another skeleton."""
    if skeleton is None or len(skeleton.limbs) != count:
        return np.tile(as_rgb(WHITE), (count, 1))
    return np.array([limb_colour(skeleton, *limb) for limb in skeleton.limbs], np.float32)


def as_rgb(colour: Colour) -> Float32:
    """(3,) in [0, 255]."""
    return np.array(colour, np.float32)


def _to_uint8(rgb: Float32) -> UInt8:
    colours: UInt8 = np.rint(rgb.clip(0.0, 255.0)).astype(np.uint8)
    return colours
