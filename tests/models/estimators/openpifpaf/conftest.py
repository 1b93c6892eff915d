"""What these tests share: openpifpaf itself, and a small network of random numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_pifpaf


@pytest.fixture(scope="session")
def pifpaf() -> Any:
    """The package; a skip where it is not installed."""
    return tiny_pifpaf.openpifpaf()


@pytest.fixture(scope="session")
def make_shell(pifpaf: Any) -> Callable[..., Any]:
    """Builds an openpifpaf network of random numbers, as its own training begins with."""
    return tiny_pifpaf.make_shell


@pytest.fixture(scope="session")
def pickled(pifpaf: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as openpifpaf's trainer writes it, of a network that sees people in noise."""
    return tiny_pifpaf.save_pickled(tmp_path_factory.mktemp("pickled") / "network.pkl")


@pytest.fixture(scope="session")
def converted(pickled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That checkpoint as posemill keeps it."""
    from posemill.models.estimators.openpifpaf.convert import convert_checkpoint

    path = tmp_path_factory.mktemp("converted") / "network.pt"
    convert_checkpoint(pickled, path, trust=True)
    return path
