"""All outcomes of a study, kept as JSON lines, so that a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.differences import Outcomes
from study.kept import KeptLines
from study.outcomes import as_letters, from_letters

from models_study.expectations import Condition
from models_study.motions import CLASSES, PAIRS
from models_study.plan import PROBE, TEST, Sizes, trainings
from models_study.trial import Trial, TrialResult, train_config
from posemill.provenance import content_hash


@dataclass(frozen=True, slots=True)
class Record:
    """The outcomes of one trial."""

    contender: str
    training: str
    seed: int
    right: Mapping[str, str]
    """A 1 or 0 for each clip of each test, ordered by class and number."""
    train_seconds: float
    test_seconds: float
    training_accuracy: float

    @classmethod
    def of(cls, result: TrialResult) -> Record:
        trial = result.trial
        return cls(
            trial.contender.name,
            trial.training,
            trial.seed,
            {test: as_letters(right, CLASSES) for test, right in result.right.items()},
            round(result.train_seconds, 2),
            round(result.test_seconds, 2),
            result.training_accuracy,
        )


@dataclass(frozen=True, slots=True)
class Results:
    """The outcomes of a whole study."""

    sizes: Sizes
    records: Sequence[Record]

    def of(self, contender: str, training: str = "plain") -> list[Record]:
        """Those of a contender, in the order of the seeds."""
        found = {
            record.seed: record
            for record in self.records
            if (record.contender, record.training) == (contender, training)
        }
        return [found[seed] for seed in self.sizes.seeds]

    def outcomes(self, condition: Condition, pair: str = "") -> Outcomes:
        """(S, N) of all clips, or of those of a pair of classes, by class and number."""
        records = self.of(condition.contender, condition.training)
        probed = condition.test == PROBE
        letters = [record.right[TEST if probed else condition.test] for record in records]
        of_classes = from_letters(letters, len(CLASSES))[:, _classes_of(pair)]
        kept = of_classes[..., : self.sizes.probe_per_class] if probed else of_classes
        return kept.reshape(len(records), -1)


class ResultsFile:
    """Where the outcomes of a study are appended; of one study alone.

    Raises:
        ValueError: the folder has outcomes of other sizes or contenders.
    """

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self._lines = KeptLines(folder, _identity(sizes))

    def read(self) -> Results:
        """What is there."""
        return Results(self.sizes, [Record(**line) for line in self._lines.read()])

    def append(self, record: Record) -> None:
        """Add the outcomes of a trial."""
        self._lines.append(asdict(record))

    def missing(self) -> list[Trial]:
        """The trials that have no outcomes yet, seed by seed."""
        done = {(each.contender, each.training, each.seed) for each in self.read().records}
        return [
            Trial(contender, training, seed)
            for seed in self.sizes.seeds
            for contender, training in trainings()
            if (contender.name, training, seed) not in done
        ]


def _identity(sizes: Sizes) -> dict[str, Any]:
    """Sizes, and a hash of how every trial is trained."""
    configs = [
        [contender.name, train_config(Trial(contender, training, 0), sizes.epochs).identity()]
        for contender, training in trainings()
    ]
    return {"sizes": json.loads(json.dumps(asdict(sizes))), "trainings": content_hash(configs)}


def _classes_of(pair: str) -> list[int]:
    chosen = [each for each in PAIRS if pair in ("", each.name)]
    return [CLASSES.index(name) for each in chosen for name in each.classes]
