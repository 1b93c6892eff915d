"""The tables of a study, as Markdown."""

from __future__ import annotations

import numpy as np
from study.differences import Outcomes, paired_difference
from study.tables import by_seed, interval, percent, points, table, with_range

from models_study.expectations import EXPECTATIONS, Condition, Expectation
from models_study.motions import PAIRS
from models_study.plan import (
    AGAINST_CUE,
    CONTENDERS,
    DROPS,
    MAIN,
    PROBE,
    WITH_CUE,
    Training,
    dropped,
)
from models_study.results import Results


def study_report(results: Results) -> str:
    """Everything, in the order of the questions."""
    parts = [
        _heading(results),
        "## Accuracy",
        accuracy_table(results),
        "## What was expected",
        verdict_table(results),
        "## By pair of classes",
        pair_table(results),
        "## A misleading context",
        cue_table(results),
        "## One limb joint lost",
        drop_table(results),
    ]
    return "\n\n".join(parts) + "\n"


def accuracy_table(results: Results) -> str:
    """Mean and range over the seeds, and what a seed takes."""
    rows = []
    for contender in CONTENDERS:
        records = results.of(contender.name)
        fitted = np.mean([record.training_accuracy for record in records])
        seconds = np.mean([(record.train_seconds, record.test_seconds) for record in records], 0)
        accuracy = by_seed(results.outcomes(Condition(contender.name)))
        rows.append(
            [contender.name, with_range(accuracy), percent(float(fitted)),
             f"{seconds[0]:.0f} + {seconds[1]:.0f}"]
        )  # fmt: skip
    head = [
        "model",
        "test, % (range over seeds)",
        "while training, %",
        "s a seed, training + tests",
    ]
    return table(head, rows)


def verdict_table(results: Results) -> str:
    """Every expectation beside what came out."""
    rows = [_verdict_row(results, expectation) for expectation in EXPECTATIONS]
    return table(["difference", "points", "95% interval", "expected", "verdict", "because"], rows)


def pair_table(results: Results) -> str:
    """Accuracy over the clips of each pair, among all classes."""
    rows = []
    for contender in CONTENDERS:
        condition = Condition(contender.name)
        shares = [results.outcomes(condition, pair.name).mean() for pair in PAIRS]
        rows.append([contender.name, *map(percent, shares)])
    return table(["model", *(pair.name for pair in PAIRS)], rows)


def cue_table(results: Results) -> str:
    """The main models, misled or not, with the bystander on either side."""
    rows = []
    for name in MAIN:
        for training in ("plain", "misled"):
            given, against = _cue_outcomes(results, name, training)
            both = (by_seed(given) + by_seed(against)) / 2
            gap = paired_difference(given, against)
            rows.append(
                [name, training, with_range(both), percent(given.mean()),
                 percent(against.mean()), points(gap.mean),
                 interval(gap)]
            )  # fmt: skip
    head = ["model", "trained on", "either side, % (range)", WITH_CUE, AGAINST_CUE, "points"]
    return table([*head, "95% interval"], rows)


def drop_table(results: Results) -> str:
    """Accuracy by the probability of a loss, of models that were trained without any."""
    rows = [[name, *map(percent, drop_curve(results, name))] for name in MAIN]
    return table(["model", *(f"p = {p:g}" for p in (0.0, *DROPS))], rows)


def drop_curve(results: Results, contender: str) -> list[float]:
    """Mean accuracies at p = 0 and at `DROPS`, on the same clips."""
    tests = [PROBE, *map(dropped, DROPS)]
    return [float(results.outcomes(Condition(contender, test=test)).mean()) for test in tests]


def _heading(results: Results) -> str:
    sizes, number = results.sizes, 2 * len(PAIRS)
    return (
        "# The order of methods, on made-up actions\n\n"
        f"{number * sizes.train_per_class} training and {number * sizes.test_per_class} test clips "
        f"of {number} classes for each of {len(sizes.seeds)} seeds, {sizes.epochs} epochs. "
        f"Intervals are of differences paired by seed and clip, seeds and clips resampled; "
        f"{len(EXPECTATIONS)} are looked at, so that one or so would exclude 0 by chance. "
        f"Contexts and losses are tested on the first {sizes.probe_per_class} clips of a class."
    )


def _verdict_row(results: Results, expectation: Expectation) -> list[str]:
    difference = paired_difference(
        results.outcomes(expectation.first, expectation.pair),
        results.outcomes(expectation.second, expectation.pair),
    )
    return [
        str(expectation),
        points(difference.mean),
        interval(difference),
        "gain" if expectation.gain else "no sign",
        difference.verdict(gain=expectation.gain).value,
        expectation.source,
    ]


def _cue_outcomes(results: Results, name: str, training: Training) -> tuple[Outcomes, Outcomes]:
    given, against = (
        results.outcomes(Condition(name, training, test)) for test in (WITH_CUE, AGAINST_CUE)
    )
    return given, against
