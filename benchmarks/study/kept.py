"""All outcomes of a study, kept as JSON lines, so that a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STUDY, _RESULTS = "study.json", "results.jsonl"


class KeptLines:
    """Where a study's outcomes are appended, a JSON object in a line; of one study alone.

    Args:
        folder: is made where it is not there.
        identity: of the study, as JSON has it.

    Raises:
        ValueError: the folder has outcomes of another study.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        self._path = folder / _RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        study = folder / _STUDY
        if study.exists() and json.loads(study.read_text()) != identity:
            raise ValueError(
                f"{folder} holds another study, of other sizes or contenders; choose another folder"
            )
        study.write_text(json.dumps(identity, indent=2) + "\n")

    def read(self) -> list[dict[str, Any]]:
        """What is there; a line that was cut off is made again."""
        lines = self._path.read_text().splitlines(keepends=True) if self._path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def append(self, line: Mapping[str, Any]) -> None:
        """Add the outcomes of a trial."""
        text = self._path.read_text() if self._path.exists() else ""
        kept = text[: text.rfind("\n") + 1]  # without a line that was cut off
        self._path.write_text(kept + json.dumps(line) + "\n")
