"""A store to a trained model: one loop, seeded by step, resumed where it stopped.

    posemill train features.zarr --model potion -o runs/x
    torchrun --nproc-per-node 4 -m posemill train poses.zarr --preset jmrn-hmdb51 -o runs/y

On CPU, equal clips, configuration, number of processes and of threads give
equal weights, however often the run was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from posemill.models.devices import resolve_device, torch_settings
from posemill.pipelines.data import dequantise
from posemill.pipelines.runs import BEST, LAST, RunFolder, held_run, open_run
from posemill.pipelines.training.clips import TrainingClips, open_clips, require_trainable
from posemill.pipelines.training.config import TrainConfig
from posemill.pipelines.training.held_out import score_held_out
from posemill.pipelines.training.initial import InitialWeights, read_initial
from posemill.pipelines.training.logs import EventLog
from posemill.pipelines.training.meter import EpochMeter, EpochTotals, timed
from posemill.pipelines.training.objective import count_right, step_loss
from posemill.pipelines.training.optimizers import clip_gradients, set_rate
from posemill.pipelines.training.parts import split_batch
from posemill.pipelines.training.precision import automatic_precision
from posemill.pipelines.training.processes import Processes, joined_processes
from posemill.pipelines.training.record import run_identity, run_record
from posemill.pipelines.training.schedules import rate_factor
from posemill.pipelines.training.state import RunState, begin_run, set_training, torch_seed
from posemill.storage.objects import Place

LOOK_STEPS = 20
"""After so many steps the sums on the device are looked at, which waits for it."""
LOOK_SECONDS = 5.0
"""Or after so many seconds, where steps are long."""


@dataclass(frozen=True, slots=True)
class StepsDone:
    """How far an epoch is."""

    epoch: int
    """From 1."""
    num_epochs: int
    step: int
    """Of the epoch, from 1."""
    num_steps: int
    """Of the epoch."""
    loss: float
    """Mean over the epoch so far, nats."""
    samples_per_second: float
    """Of this process."""
    waiting_share: float
    """Of the time, that in which no data was there to train on."""


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """What one pass over the training clips gave."""

    epoch: int
    """From 1."""
    num_epochs: int
    loss: float
    """Mean over the augmented clips, nats."""
    accuracy: float
    """Share of the augmented clips whose highest logit is a class of theirs, dropout on."""
    learning_rate: float
    """At the epoch's last step."""
    held_out_score: float | None
    """Accuracy, or mean average precision, on held-out training clips; None without any."""
    samples_per_second: float
    """Of all processes."""
    waiting_share: float
    """Of the time, that in which no data was there to train on."""
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run."""

    run_dir: Path
    num_clips: int
    num_held_out: int
    num_classes: int
    num_epochs: int
    num_epochs_before: int
    """Epochs that were there when this call began; equal to `num_epochs` where all was done."""
    loss: float
    accuracy: float
    """Of the last epoch, see `EpochEnded`."""
    best_epoch: int | None
    """That did best on the held-out clips; None without any."""
    seconds: float
    """Of this call."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.run_dir),
            "clips": self.num_clips,
            "held_out_clips": self.num_held_out,
            "classes": self.num_classes,
            "epochs": self.num_epochs,
            "epochs_now": self.num_epochs - self.num_epochs_before,
            "loss": self.loss,
            "training_accuracy": self.accuracy,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, slots=True)
class TrainPlan:
    """What `train` would do: the answer of `--dry-run`."""

    num_clips: int
    num_held_out: int
    num_unavailable: int
    """Labelled clips of the subset that cannot be had."""
    num_classes: int
    num_steps: int
    num_parameters: int
    shapes: Mapping[str, tuple[int, ...]]
    """Of the arrays of a view."""

    def as_dict(self) -> dict[str, Any]:
        return {
            "clips": self.num_clips,
            "held_out_clips": self.num_held_out,
            "clips_without_features": self.num_unavailable,
            "classes": self.num_classes,
            "steps": self.num_steps,
            "parameters": self.num_parameters,
            "shapes": {name: list(shape) for name, shape in self.shapes.items()},
        }


@dataclass(frozen=True, slots=True)
class BeganWith:
    """The first step is to follow, from weights that were there."""

    weights: str
    """Which of them, in a line."""


TrainEvent = BeganWith | StepsDone | EpochEnded


def plan_train(
    store: Place,
    config: TrainConfig,
    catalog: Path | None = None,
    *,
    joined: Sequence[Place] = (),
) -> TrainPlan:
    """What `train` would do; writes nothing.

    Raises:
        InputError: as `train`.
    """
    clips = open_clips((store, *joined), config, catalog)
    network = require_trainable(config, clips, read_initial(config.init))
    sampler = clips.sampler(config, rank=0, world_size=1)
    clips.loader(config, sampler, resolve_device("cpu"))  # refuses clips that cannot be trained on
    clips.held_out_loader(config)
    return TrainPlan(
        num_clips=len(clips.trained),
        num_held_out=len(clips.held_out),
        num_unavailable=clips.trained.num_unavailable,
        num_classes=len(clips.source.classes),
        num_steps=config.epochs * len(sampler),
        num_parameters=sum(weight.numel() for weight in network.parameters()),
        shapes=clips.views.shapes,
    )


def train(  # noqa: C901  (one loop, to be read from top to bottom)
    store: Place,
    run_dir: Path,
    config: TrainConfig,
    on_event: Callable[[TrainEvent], None] = lambda _event: None,
    *,
    catalog: Path | None = None,
    joined: Sequence[Place] = (),
) -> TrainResult:
    """Train on a feature store, or on a pose store rendered on the fly, into `run_dir`.

    Goes on where an earlier call stopped. Below torchrun each process calls it
    with the same arguments; the first one writes and tells.

    Args:
        catalog: clips and labels of a pose store; None takes the one it was made from.
        joined: more stores, whose arrays of the same clips the model reads together
            with those of `store`.

    Raises:
        InputError: the store does not fit the model, the device or the folder cannot be
            used, or the loss is no longer finite.
        ConfigurationMismatch: `run_dir` holds another run.
        EnvironmentFault: the disk refuses.
        StoreCorrupted: damaged features, or a damaged checkpoint.
    """
    started, machine = monotonic(), config.machine
    clips = open_clips((store, *joined), config, catalog)
    initial = read_initial(config.init)
    planned = require_trainable(config, clips, initial)
    with (
        joined_processes(machine.device) as processes,
        torch_settings(machine.threads, processes.device),
        ExitStack() as opened,
    ):
        device = processes.device
        sampler = clips.sampler(config, processes.rank, processes.world_size)
        loader, maps = clips.loader(config, sampler, device), clips.maps(config, device)
        held_out_loader = clips.held_out_loader(config)
        num_steps = config.epochs * len(sampler)
        state = begin_run(config, clips, initial, device)
        run = _open_run(run_dir, config, clips, initial, processes, opened)
        if (checkpoint := run.read_checkpoint()) is not None:
            origin, is_first = f"{run_dir}/{LAST}", processes.is_first
            state.restore(checkpoint, origin, len(sampler), is_first=is_first)
        elif initial is not None and processes.is_first:
            on_event(BeganWith(initial.fitting(planned)[1]))
        epochs_before, metrics = state.epochs_done, run.read_metrics(state.epochs_done)
        all_used = config.loss.contrast > 0 or not state.network.gives_embeddings
        network = processes.share(state.network, compiled=machine.compile, all_used=all_used)
        precision = automatic_precision(config.precision, device)
        first_logged = epochs_before * len(sampler) + 1
        log = opened.enter_context(EventLog(run_dir, first_logged, enabled=processes.is_first))
        set_training(state.network, frozen=config.freeze)

        for epoch in range(epochs_before, config.epochs):
            sampler.go_to(epoch, state.steps_of_epoch)
            meter, rate = EpochMeter(device, state.totals), 0.0
            for batch in timed(loader, meter):
                step = epoch * len(sampler) + state.steps_of_epoch
                torch.manual_seed(torch_seed(config.seed, step, processes.rank))  # for dropout
                drops = state.plateau.num_drops
                factor = rate_factor(config.schedule, step, num_steps, len(sampler), drops)
                rate = config.optimizer.learning_rate * factor
                set_rate(state.optimizer, rate)
                for part in split_batch(
                    maps(batch), config.accumulate, clips.views_per_clip(config)
                ):
                    labels = part.labels.to(device, non_blocking=True)  # (V,) or (V, M)
                    instances = part.instances.to(device, non_blocking=True)  # (V,)
                    with precision:
                        outputs = network(dequantise(part.arrays, maps.specs, device))
                        loss = step_loss(
                            state.network, config.loss, outputs, labels, instances, epoch + 1
                        )
                    torch.autograd.backward(state.scaler.scale(loss * part.share))
                    meter.add(loss.detach(), count_right(outputs, labels), len(labels))
                state.scaler.unscale_(state.optimizer)
                clip_gradients(state.network, config.optimizer.clip_norm)
                state.scaler.step(state.optimizer)
                state.scaler.update()
                state.optimizer.zero_grad()
                state.steps_of_epoch += 1
                if state.steps_of_epoch % LOOK_STEPS == 0 or meter.unseen_seconds > LOOK_SECONDS:
                    totals = meter.settle(epoch + 1, rate)
                    if processes.is_first:
                        on_event(_steps_done(state, config, totals, len(sampler)))
                if _is_due(machine.checkpoint_steps, state.steps_of_epoch, len(sampler)):
                    totals = processes.total(meter.settle(epoch + 1, rate))
                    if processes.is_first:
                        run.write_checkpoint(state.dump(totals))

            totals = processes.total(meter.settle(epoch + 1, rate))
            score = score_held_out(config, clips, held_out_loader, state, processes)
            is_best = state.end_epoch(score, totals.mean_loss)
            ended = _epoch_ended(state, config, totals, processes, rate, score)
            metrics.append(asdict(ended))
            log.add(_scalars(ended), state.epochs_done * len(sampler))
            if processes.is_first:
                run.write_metrics(metrics)
                content = state.dump(state.totals)
                if is_best:  # before the last one, which says that it is there
                    run.write_checkpoint(content, BEST)
                run.write_checkpoint(content)
                on_event(ended)

    return TrainResult(
        run_dir=run_dir,
        num_clips=len(clips.trained),
        num_held_out=len(clips.held_out),
        num_classes=len(clips.source.classes),
        num_epochs=config.epochs,
        num_epochs_before=epochs_before,
        loss=metrics[-1]["loss"],
        accuracy=metrics[-1]["accuracy"],
        best_epoch=state.best_epoch or None,
        seconds=monotonic() - started,
    )


def _open_run(
    run_dir: Path,
    config: TrainConfig,
    clips: TrainingClips,
    initial: InitialWeights | None,
    processes: Processes,
    opened: ExitStack,
) -> RunFolder:
    """The run's folder, made and held by the first process, which the others wait for."""
    if processes.is_first:
        identity = run_identity(config, clips, initial)
        record = run_record(config, clips.source, processes.world_size)
        opened.enter_context(held_run(run_dir, identity, record))
    processes.wait()
    return open_run(run_dir)


def _is_due(every: int, step: int, steps_per_epoch: int) -> bool:
    """Whether a checkpoint follows a step of an epoch, whose last one has its own anyway."""
    return every > 0 and step % every == 0 and step < steps_per_epoch


def _steps_done(
    state: RunState, config: TrainConfig, totals: EpochTotals, num_steps: int
) -> StepsDone:
    return StepsDone(
        epoch=state.epochs_done + 1,
        num_epochs=config.epochs,
        step=state.steps_of_epoch,
        num_steps=num_steps,
        loss=totals.mean_loss,
        samples_per_second=totals.views_per_second,
        waiting_share=totals.waiting_share,
    )


def _epoch_ended(
    state: RunState,
    config: TrainConfig,
    totals: EpochTotals,
    processes: Processes,
    rate: float,
    score: float | None,
) -> EpochEnded:
    """Of an epoch that `state` counts already; `totals` are those of all processes."""
    return EpochEnded(
        epoch=state.epochs_done,
        num_epochs=config.epochs,
        loss=totals.mean_loss,
        accuracy=totals.accuracy,
        learning_rate=rate,
        held_out_score=score,
        # The processes' seconds are added up, too.
        samples_per_second=totals.views_per_second * processes.world_size,
        waiting_share=totals.waiting_share,
        seconds=totals.seconds / processes.world_size,
    )


def _scalars(ended: EpochEnded) -> dict[str, float | None]:
    """What TensorBoard shows of an epoch."""
    return {
        "loss/train": ended.loss,
        "accuracy/train": ended.accuracy,
        "score/held_out": ended.held_out_score,
        "learning_rate": ended.learning_rate,
        "speed/samples_per_second": ended.samples_per_second,
        "speed/waiting_share": ended.waiting_share,
    }
