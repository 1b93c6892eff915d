"""Compiled loops work where no machine code can be kept, too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import CacheImpl

from posemill.transforms.compiled import compiled


def total(count):
    result = 0
    for number in range(count):
        result += number
    return result


def test_machine_code_is_kept_where_it_can_be() -> None:
    assert compiled(total)(5) == 10
    assert "NullCache" not in type(compiled(total)._cache).__name__


def test_where_nothing_can_be_written_it_compiles_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    function = compiled(total)
    assert function(5) == 10
    assert type(function._cache).__name__ == "NullCache"


def test_another_error_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: bool) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr("posemill.transforms.compiled.njit", refuse)
    with pytest.raises(RuntimeError, match="something else"):
        compiled(total)


def test_the_recipes_load_where_nothing_can_be_written() -> None:
    script = (
        "from numba.core.caching import CacheImpl\n"
        "CacheImpl._locator_classes = []\n"
        "import posemill.transforms.recipes\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


DRAW_AND_COUNT = """
import numpy as np
from numba.core.dispatcher import Dispatcher
from posemill.transforms.rasterize import accumulate_joints, draw_joints, kernels
people = np.ones((1, 1, 2), "f4"), np.ones((1, 1), "f4"), np.array([0, 1])
maps = np.zeros((1, 1, 8, 8), "f4")
draw_joints(*people, maps, sigma=0.6)
accumulate_joints(*people, np.ones((1, 1), "f4"), maps, sigma=0.6)
assert maps.max() == 2.0
stats = [part.stats for part in vars(kernels).values() if isinstance(part, Dispatcher)]
print(sum(sum(of.cache_hits.values()) for of in stats))
print(sum(sum(of.cache_misses.values()) for of in stats))
"""


def test_a_second_process_does_not_compile(tmp_path: Path) -> None:
    def draw_and_count() -> tuple[int, int]:
        process = subprocess.run(
            [sys.executable, "-W", "error", "-c", DRAW_AND_COUNT],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        )
        hits, misses = map(int, process.stdout.split())
        return hits, misses

    hits, misses = draw_and_count()
    assert hits == 0
    assert misses >= 3  # draw_joints, accumulate_joints, rows_in_order, and their parts
    hits, misses = draw_and_count()
    assert hits >= 3
    assert misses == 0
