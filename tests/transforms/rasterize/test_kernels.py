"""What holds for the compiled loops as a whole: few versions, kept on disk, equal bits."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from dense_maps import random_people
from drawn import joints, limbs, part_fields

from posemill.transforms.rasterize import accumulate_joints, erase_joints, erase_limbs, kernels

SIZE = (12, 15)
PAIRS = [(0, 1), (2, 1), (3, 2)]
# Versions: float32 and uint8; erasing also float16, as its bits.
VERSIONS = {
    "rows_in_order": 1,
    "draw_joints": 2,
    "erase_joints": 3,
    "accumulate_joints": 1,
    "draw_limbs": 2,
    "erase_limbs": 3,
    "draw_part_fields": 1,
    "move_to_halves": 1,
}
CALLS = """
import numpy as np
from posemill.transforms.rasterize import draw_joints, erase_joints, kernels
people = np.ones((1, 2, 2), "f4"), np.ones((1, 2), "f4"), np.array([0, 1])
out = np.zeros((2, 1, 8, 8), "f4")
draw_joints(*people, out, sigma=0.6)
erase_joints(*people, out, sigma=0.6)
for name in ("rows_in_order", "draw_joints", "erase_joints"):
    stats = getattr(kernels, name).stats
    print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""


def test_no_kind_of_argument_compiles_another_version() -> None:
    xy, score, ptr = random_people(0, 3, 2, 4, SIZE)
    frozen = xy.copy(), score.copy(), ptr.copy()
    for array in frozen:
        array.flags.writeable = False
    doubles = xy.astype(float), score.astype(float), ptr.astype(np.int32)
    strided = np.repeat(xy, 2, axis=0)[::2], np.asfortranarray(score), ptr
    for people in ((xy, score, ptr), frozen, doubles, strided):
        for combine in ("max", "sum"):
            for dtype in ("f4", "f2"):
                joints(people, SIZE, dtype, combine=combine, sigma=np.float32(1))
                limbs(people, np.array(PAIRS, np.int16), SIZE, dtype, combine=combine, sigma=1)
            weights = np.ones((3, 2), order="F")
            out = np.zeros((4, 2, *SIZE), np.float32)
            accumulate_joints(*people, weights, out, sigma=0.6, combine=combine)
        for dtype in ("f4", "f2"):
            part_fields(people, PAIRS, SIZE, dtype, half_width=1, weighted=1)
        for dtype in ("f4", "f2", "u1"):
            erase_joints(*people, joints(people, SIZE, dtype), sigma=0.6)
            erase_limbs(*people, PAIRS, limbs(people, PAIRS, SIZE, dtype), sigma=0.6)
    found = {name: len(getattr(kernels, name).signatures) for name in VERSIONS}
    assert found == VERSIONS


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    for expected in ("0 1", "1 0"):
        lines = subprocess.run(
            [sys.executable, "-W", "error", "-c", CALLS],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        assert lines == [expected] * 3


@pytest.mark.skipif(sys.byteorder == "big", reason="the sums are over little-endian bytes")
def test_equal_input_gives_equal_bits_on_every_machine() -> None:
    # Another exp, fused multiply-adds or another order of sums would give other bits; a
    # change of these numbers is a change of every recipe that draws.
    # The people are whole numbers of 1/8 px and 1/16, made without a library's help.
    number = np.arange(60)
    xy = (np.stack([number * 37 % 120, number * 53 % 96], axis=-1) / 8).reshape(15, 4, 2)
    people = xy, (number * 29 % 17 / 16).reshape(15, 4), np.array([0, 1, 4, 4, 9, 15])
    sums = {}
    for combine in ("max", "sum"):
        options = {"sigma": 0.75, "combine": combine}
        sums["joints", combine] = zlib.crc32(joints(people, SIZE, **options).tobytes())
        sums["limbs", combine] = zlib.crc32(limbs(people, PAIRS, SIZE, **options).tobytes())
        out = np.zeros((4, 3, *SIZE), np.float32)
        accumulate_joints(*people, number[:15].reshape(5, 3) / 16, out, **options)
        sums["accumulated", combine] = zlib.crc32(out.tobytes())
    sums["fields", "mean"] = zlib.crc32(part_fields(people, PAIRS, SIZE, weighted=True).tobytes())
    assert sums == {
        ("joints", "max"): 1087643347,
        ("joints", "sum"): 1275392731,
        ("limbs", "max"): 1362332813,
        ("limbs", "sum"): 747203825,
        ("accumulated", "max"): 4056845096,
        ("accumulated", "sum"): 753063615,
        ("fields", "mean"): 723645984,
    }
