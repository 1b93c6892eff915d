"""Where posemill keeps what it can fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$POSEMILL_CACHE`, else `$XDG_CACHE_HOME/posemill`, else `~/.cache/posemill`."""
    if own := os.environ.get("POSEMILL_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "posemill"
    return Path.home() / ".cache" / "posemill"
