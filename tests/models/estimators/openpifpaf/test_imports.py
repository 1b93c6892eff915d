"""openpifpaf beside libraries that are newer than it, and where it is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from posemill.errors import MissingDependency
from posemill.models.estimators.base import EstimatorOptions
from posemill.models.estimators.openpifpaf import create, imports
from posemill.models.estimators.openpifpaf.published import PUBLISHED
from posemill.models.estimators.weights.published import WebFile

pytest.importorskip("torch")


def run(program: str) -> str:
    """What a fresh interpreter prints."""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_where_it_is_not_installed_the_command_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(imports, "find_spec", lambda _: None)
    imports.load_operators.cache_clear()
    imports.import_openpifpaf.cache_clear()
    for load in (imports.load_operators, imports.import_openpifpaf):
        with pytest.raises(MissingDependency, match=r"'openpifpaf'.*make install-openpifpaf"):
            load()
    with pytest.raises(MissingDependency, match=r"docs/openpifpaf\.md"):
        create(EstimatorOptions(weights=tmp_path / "any.pt"))


def test_building_posemill_imports_nothing_of_it() -> None:
    printed = run(
        "import sys\n"
        "import posemill.models.estimators.openpifpaf.published\n"
        "print([name for name in ('torch', 'torchvision', 'openpifpaf') if name in sys.modules])"
    )
    assert printed.strip() == "[]"


def test_a_matplotlib_without_get_cmap_has_it_while_openpifpaf_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As current ones: colour maps are had from `matplotlib.colormaps` alone."""
    package, maps = ModuleType("matplotlib"), ModuleType("matplotlib.cm")
    package.colormaps = SimpleNamespace(get_cmap=str.upper)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", package)
    monkeypatch.setitem(sys.modules, "matplotlib.cm", maps)
    monkeypatch.setattr(imports, "find_spec", lambda _: object())
    with imports._matplotlib_with_get_cmap():
        assert maps.get_cmap("blues") == "BLUES"
    assert not hasattr(maps, "get_cmap")
    maps.get_cmap = str.lower  # type: ignore[attr-defined]  # an older one, left as it is
    with imports._matplotlib_with_get_cmap():
        assert maps.get_cmap("Blues") == "blues"
    assert maps.get_cmap("Blues") == "blues"


def test_the_table_is_openpifpafs_own(pifpaf: Any) -> None:
    for weights in PUBLISHED:
        assert isinstance(weights.source, WebFile)
        http = weights.source.url.replace("https://", "http://")
        assert pifpaf.CHECKPOINT_URLS[weights.name] == http
        assert weights.source.url.endswith(f"-{weights.source.sha256}.pkl")
        assert "AGPL" in weights.licence
    assert sum(weights.default for weights in PUBLISHED) == 1
