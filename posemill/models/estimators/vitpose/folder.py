"""A folder of one network's weights, as the Hugging Face hub has them: read without running
anything that is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posemill.errors import WeightsUnavailable

CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """The files of one network."""

    path: Path
    config: dict[str, Any]
    model_type: str
    sha256: str
    """Of the configuration and all weights."""

    @classmethod
    def open(cls, path: Path, what: str, model_types: Collection[str]) -> ModelFolder:
        """Check what the folder holds and hash it.

        Args:
            what: the network, for messages: "ViTPose".
            model_types: those that it may be, as its configuration names them.

        Raises:
            WeightsUnavailable: files are missing, or of another network, or pickled.
        """
        config = _read_json(path / CONFIG, what)
        model_type = str(config.get("model_type"))
        if model_type not in model_types:
            raise WeightsUnavailable(
                f"{path / CONFIG} is of a network of type {model_type!r}, expected "
                f"{' or '.join(model_types)}; give a folder with {what}'s weights"
            )
        files = _weights_files(path, what)
        return cls(path, config, model_type, _sha256([path / CONFIG, *files]))


def _weights_files(path: Path, what: str) -> list[Path]:
    if (path / _WEIGHTS).is_file():
        return [path / _WEIGHTS]
    if (path / _INDEX).is_file():
        return [path / _INDEX, *_parts(path, what)]
    pickles = sorted(file.name for pattern in _PICKLES for file in path.glob(pattern))
    if pickles:
        raise WeightsUnavailable(
            f"{path} holds {what}'s weights as {', '.join(pickles[:3])}: pickles, which can run "
            f"code when they are read; expected {_WEIGHTS}. Save them with safe_serialization"
        )
    raise WeightsUnavailable(f"{path} has no {_WEIGHTS}; give a folder with {what}'s weights")


def _parts(path: Path, what: str) -> list[Path]:
    parts = _read_json(path / _INDEX, what).get("weight_map")
    names = set(parts.values()) if isinstance(parts, dict) else set()
    files = [path / Path(str(name)).name for name in sorted(names, key=str)]
    absent = [file.name for file in files if not file.is_file()]
    if absent or not files:
        raise WeightsUnavailable(
            f"{path / _INDEX} names files that are not beside it: {', '.join(absent) or 'none'}; "
            f"fetch {what}'s weights again"
        )
    return files


def _read_json(path: Path, what: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsUnavailable(
            f"{what}'s weights are not in {path.parent}: {path.name}: {error.strerror}; give a "
            "folder that holds them, or fetch them with `posemill models pull`"
        ) from error
    except ValueError as error:
        raise WeightsUnavailable(
            f"{path} is no JSON ({error}); fetch {what}'s weights again"
        ) from error
    if not isinstance(content, dict):
        raise WeightsUnavailable(f"{path} is no configuration; fetch {what}'s weights again")
    return content


def _sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
