"""The order of methods, on made-up actions that are straight from triplets: make bench-models.

Ten models learn from the same clips, with the same budget and the same jitter,
by the pipeline itself: poses are stored, maps are rendered from them on the
fly. What differs is in `models_study.plan`; which differences are expected,
and which have no expected sign, was written down before the first result, in
`models_study.expectations`. Whatever comes out is reported.

Takes about 25 minutes on two cores. Results are appended to a file in the
output folder as they come, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import monotonic

from models_study.pictures import write_clips_picture, write_curves_picture
from models_study.plan import Sizes
from models_study.report import study_report
from models_study.results import Record, ResultsFile
from models_study.stored_clips import ClipFolder, study_groups, write_clips
from models_study.trial import Trial, run_trial
from study.running import collect, study_pool

FULL = Sizes()


def run_study(out: Path, sizes: Sizes, processes: int) -> str:
    """Do what is missing, and report all of it; Markdown, which is in `out / report.md` as well.

    Raises:
        ValueError: `out` holds another study.
    """
    kept = ResultsFile(out, sizes)
    with study_pool(processes) as pool:
        made = [pool.submit(_make_clips, out, seed, sizes) for seed in sizes.seeds]
        folders = {seed: each.result() for seed, each in zip(sizes.seeds, made, strict=True)}
        started = [
            pool.submit(_run, trial, folders[trial.seed], out / "runs", sizes.epochs)
            for trial in kept.missing()
        ]
        collect(started, kept.append, _told)
    results = kept.read()
    report = study_report(results)
    (out / "report.md").write_text(report)
    write_clips_picture(out / "clips.png")
    write_curves_picture(out / "curves.png", results)
    return report


def _make_clips(out: Path, seed: int, sizes: Sizes) -> ClipFolder:
    return write_clips(out / f"clips-{seed}", seed, study_groups(sizes))


def _run(trial: Trial, clips: ClipFolder, runs: Path, epochs: int) -> Record:
    return Record.of(run_trial(trial, clips, runs, epochs))


def _told(record: Record) -> str:
    seconds = record.train_seconds + record.test_seconds
    return f"{record.contender}, {record.training}, seed {record.seed}: {seconds:.0f} s"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("models-study"), help="kept results")
    parser.add_argument("--processes", type=int, default=2, help="trainings at a time")
    parser.add_argument("--seeds", type=int, default=len(FULL.seeds), help="0 up to here")
    parser.add_argument("--epochs", type=int, default=FULL.epochs)
    parser.add_argument("--train", type=int, default=FULL.train_per_class, help="clips of a class")
    parser.add_argument("--test", type=int, default=FULL.test_per_class, help="clips of a class")
    parser.add_argument("--probe", type=int, default=FULL.probe_per_class, help="of the test clips")
    return parser.parse_args()


def main() -> None:
    """Run, print, and say where it all is."""
    asked, started = _parse(), monotonic()
    seeds = tuple(range(asked.seeds))
    sizes = Sizes(seeds, asked.train, asked.test, asked.probe, asked.epochs)
    print(run_study(asked.out, sizes, asked.processes))
    print(f"{monotonic() - started:.0f} s; tables and pictures are in {asked.out}")


if __name__ == "__main__":
    main()
