"""Pictures and poses together, where neither is enough alone: make bench-appearance.

Two of four made-up classes differ in the colour of an object, the others in a motion
that no picture shows (`appearance_study.scenes`). RGBPose-Conv3D, VPN and PARNet,
with their ablations and with the networks of one modality, learn from the same clips
with the same budget: recipes render them into feature stores, and `train` and
`evaluate` do the rest. Sizes and what is expected were written down before the first
result, in `appearance_study.plan` and `appearance_study.expectations`. Whatever comes
out is reported.

    python benchmarks/appearance.py --only parnet-tmp parnet-sa

runs some of them, into the same results: all are reported that have every seed.
Takes about 7 minutes on two quiet cores. Results are appended to a file in the output
folder as they come, and a run that was stopped goes on from there.
"""

from __future__ import annotations

import argparse
from concurrent.futures import Future
from pathlib import Path
from time import monotonic

from appearance_study.pictures import write_clips_picture
from appearance_study.plan import CONTENDERS, Contender, Sizes, chosen
from appearance_study.report import study_report
from appearance_study.results import Record, ResultsFile
from appearance_study.trial import StoredFeatures, Trial, run_trial, write_features
from study.running import collect, study_pool

FULL = Sizes()


def run_study(out: Path, sizes: Sizes, contenders: tuple[Contender, ...], processes: int) -> str:
    """Do what is missing, and report all of it; Markdown, which is in `out / report.md` as well.

    Raises:
        ValueError: `out` holds another study.
    """
    kept = ResultsFile(out, sizes)
    missing = kept.missing(contenders)
    wanted = dict.fromkeys((trial.contender.features, trial.seed) for trial in missing)
    with study_pool(processes) as pool:
        made: dict[tuple[str, int], Future[StoredFeatures]] = {
            (name, seed): pool.submit(write_features, out / "features", name, seed, sizes)
            for name, seed in wanted
        }
        written = {key: each.result() for key, each in made.items()}
        started = [
            pool.submit(
                _run, trial, written[trial.contender.features, trial.seed], out, sizes.epochs
            )
            for trial in missing
        ]
        collect(started, kept.append, _told)
    report = study_report(kept.read())
    (out / "report.md").write_text(report)
    write_clips_picture(out / "clips.png")
    return report


def _run(trial: Trial, features: StoredFeatures, out: Path, epochs: int) -> Record:
    return Record.of(run_trial(trial, features, out / "runs", epochs))


def _told(record: Record) -> str:
    right = record.right.count("1") / len(record.right)
    seconds = record.train_seconds + record.test_seconds
    return f"{record.contender}, seed {record.seed}: {100 * right:.1f}%, {seconds:.0f} s"


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("appearance-study"), help="kept results")
    parser.add_argument("--processes", type=int, default=2, help="trainings at a time")
    parser.add_argument("--only", nargs="+", default=[], choices=[each.name for each in CONTENDERS])
    parser.add_argument("--seeds", type=int, nargs="+", default=FULL.seeds)
    parser.add_argument("--epochs", type=int, default=FULL.epochs)
    parser.add_argument("--train", type=int, default=FULL.train_per_class, help="clips of a class")
    parser.add_argument("--test", type=int, default=FULL.test_per_class, help="clips of a class")
    return parser.parse_args()


def main() -> None:
    """Run, print, and say where it all is."""
    asked, started = _parse(), monotonic()
    sizes = Sizes(tuple(asked.seeds), asked.train, asked.test, asked.epochs)
    print(run_study(asked.out, sizes, chosen(tuple(asked.only)), asked.processes))
    print(f"{monotonic() - started:.0f} s; tables and a picture are in {asked.out}")


if __name__ == "__main__":
    main()
