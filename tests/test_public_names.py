"""The package's own names: all there, and imported when they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import posemill


def test_every_public_name_can_be_had() -> None:
    for name in posemill.__all__:
        assert getattr(posemill, name).__name__ == name


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match=r"'posemill' has no attribute 'Films'"):
        _ = posemill.Films


def test_the_package_alone_imports_no_library() -> None:
    code = "import posemill, sys; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
