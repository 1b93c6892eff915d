"""Compiled loops work where no machine code can be kept, too."""

import subprocess
import sys

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
