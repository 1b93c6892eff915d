"""The tables of the study, as Markdown; of what there is where it is not whole."""

from __future__ import annotations

import numpy as np
from study.differences import paired_difference
from study.tables import by_seed, interval, percent, points, table, with_range

from appearance_study.expectations import EXPECTATIONS, Expectation
from appearance_study.plan import JOINT, SINGLE, Sizes
from appearance_study.results import Results
from appearance_study.scenes import BY_COLOUR, BY_MOTION, CLASSES


def study_report(results: Results) -> str:
    """Everything, in the order of the questions."""
    parts = [
        _heading(results),
        "## Accuracy",
        accuracy_table(results),
        "## Together over the best alone",
        joint_table(results),
        "## What was expected",
        verdict_table(results),
    ]
    return "\n\n".join(parts) + "\n"


def accuracy_table(results: Results) -> str:
    """Mean and range over the seeds, of all classes and of both halves."""
    rows = []
    for contender in results.contenders:
        records = results.of(contender.name)
        fitted = float(np.mean([record.training_accuracy for record in records]))
        seconds = np.mean([(record.train_seconds, record.test_seconds) for record in records], 0)
        shares = [
            with_range(by_seed(results.outcomes(contender.name, classes)))
            for classes in (CLASSES, BY_COLOUR, BY_MOTION)
        ]
        rows.append(
            [contender.name, contender.reads, *shares, percent(fitted),
             f"{seconds[0]:.0f} + {seconds[1]:.0f}"]
        )  # fmt: skip
    head = ["model", "reads", "test, % (range over seeds)", "told by colour", "told by motion"]
    return table([*head, "while training, %", "s a seed, training + test"], rows)


def joint_table(results: Results) -> str:
    """Joint networks over the one of a single modality that is best on these very clips."""
    there = [each.name for each in results.contenders]
    alone = [name for name in SINGLE if name in there]
    if not alone:
        return "No network of one modality was trained."
    best = max(alone, key=lambda name: results.outcomes(name).mean())
    rows = [
        _difference_row(results, Expectation(name, best, True, ""))
        for name in JOINT
        if name in there
    ]
    return table(_HEAD, rows)


def verdict_table(results: Results) -> str:
    """Every expectation beside what came out."""
    there = {each.name for each in results.contenders}
    rows = [
        [*_difference_row(results, each), each.source]
        for each in EXPECTATIONS
        if {each.first, each.second} <= there
    ]
    return table([*_HEAD, "because"], rows)


def _chance_of_guesses(sizes: Sizes) -> float:
    """Standard deviation of the accuracy of one seed, where half of the clips are guessed."""
    num_guessed, num_clips = 2 * sizes.test_per_class, len(CLASSES) * sizes.test_per_class
    return float(np.sqrt(num_guessed * 0.25) / num_clips)


_HEAD = ("difference", "points", "95% interval", "expected", "verdict")


def _difference_row(results: Results, expectation: Expectation) -> list[str]:
    difference = paired_difference(
        results.outcomes(expectation.first), results.outcomes(expectation.second)
    )
    return [
        str(expectation),
        points(difference.mean),
        interval(difference),
        "gain" if expectation.gain else "no sign",
        difference.verdict(gain=expectation.gain).value,
    ]


def _heading(results: Results) -> str:
    sizes, number = results.sizes, len(CLASSES)
    return (
        "# Pictures and poses together, on made-up clips\n\n"
        f"{number * sizes.train_per_class} training and {number * sizes.test_per_class} test clips "
        f"of {number} classes for each of {len(sizes.seeds)} seeds, {sizes.epochs} epochs. One "
        "modality tells two of the classes and has to guess between the other two: at best it is "
        f"right in 75% of clips, {percent(_chance_of_guesses(sizes))} more or less by chance. "
        "Intervals are of differences paired by seed and clip, seeds and clips resampled."
    )
