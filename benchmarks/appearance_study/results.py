"""All outcomes of the study, kept so that a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.differences import Outcomes
from study.kept import KeptLines
from study.outcomes import as_letters, from_letters

from appearance_study.plan import CONTENDERS, FEATURES, Contender, Sizes
from appearance_study.scenes import CLASSES
from appearance_study.trial import Trial, TrialResult, train_config
from posemill.provenance import content_hash


@dataclass(frozen=True, slots=True)
class Record:
    """The outcomes of one trial."""

    contender: str
    seed: int
    right: str
    """A 1 or 0 for each test clip, ordered by class and number."""
    train_seconds: float
    test_seconds: float
    training_accuracy: float

    @classmethod
    def of(cls, result: TrialResult) -> Record:
        return cls(
            result.trial.contender.name,
            result.trial.seed,
            as_letters(result.right, CLASSES),
            round(result.train_seconds, 2),
            round(result.test_seconds, 2),
            result.training_accuracy,
        )


@dataclass(frozen=True, slots=True)
class Results:
    """The outcomes of a study, or of the contenders that have them all."""

    sizes: Sizes
    records: Sequence[Record]

    @property
    def contenders(self) -> list[Contender]:
        """Those with outcomes of every seed, in the order of the plan."""
        there = {(each.contender, each.seed) for each in self.records}
        seeds = self.sizes.seeds
        return [each for each in CONTENDERS if all((each.name, seed) in there for seed in seeds)]

    def of(self, contender: str) -> list[Record]:
        """Those of a contender, in the order of the seeds."""
        found = {each.seed: each for each in self.records if each.contender == contender}
        return [found[seed] for seed in self.sizes.seeds]

    def outcomes(self, contender: str, classes: Sequence[str] = CLASSES) -> Outcomes:
        """(S, N) of all clips of some classes, by class and number."""
        letters = [record.right for record in self.of(contender)]
        of_classes = from_letters(letters, len(CLASSES))
        kept = of_classes[:, [CLASSES.index(name) for name in classes]]
        return kept.reshape(len(letters), -1)


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

    def missing(self, contenders: Sequence[Contender]) -> list[Trial]:
        """The trials of these contenders that have no outcomes yet, seed by seed."""
        done = {(each.contender, each.seed) for each in self.read().records}
        return [
            Trial(contender, seed)
            for seed in self.sizes.seeds
            for contender in contenders
            if (contender.name, seed) not in done
        ]


def _identity(sizes: Sizes) -> dict[str, Any]:
    """Sizes, and a hash of the features and of how every trial is trained."""
    features = {name: asdict(each) for name, each in FEATURES.items()}
    configs = [
        [each.name, each.features, train_config(Trial(each, 0), sizes.epochs).identity()]
        for each in CONTENDERS
    ]
    return {
        "sizes": json.loads(json.dumps(asdict(sizes))),
        "trainings": content_hash([features, configs]),
    }
