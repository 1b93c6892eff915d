"""One run of a pipeline, in a thread of its own: a driver has to listen meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.runner import PipelineState

from posemill.errors import EnvironmentFault, InputError, PosemillError
from posemill.pipelines.engines.beam_options import BeamParameters
from posemill.pipelines.engines.beam_shards import add_shards
from posemill.pipelines.engines.harness_crew import HarnessJob
from posemill.pipelines.tasks import ShardTask

_LOG = logging.getLogger(__name__)
_END_SECONDS = 30.0


def new_pipeline(parameters: BeamParameters) -> beam.Pipeline:
    """Raises:
    InputError: Beam does not know the runner, or refuses the options for it.
    """
    runner = FnApiRunner() if parameters.runner is None else None
    try:
        return beam.Pipeline(runner=runner, options=parameters.pipeline_options())
    except (ValueError, ImportError, AttributeError, TypeError) as error:
        raise InputError(
            f"Beam makes no pipeline for runner={parameters.runner}: {_told(error)}. Correct the "
            "options of --engine-option"
        ) from error


class PipelineRun:
    """Begins at once."""

    def __init__(
        self,
        pipeline: beam.Pipeline,
        tasks: Sequence[ShardTask],
        job: HarnessJob,
        parameters: BeamParameters,
    ) -> None:
        self._pipeline, self._tasks, self._job = pipeline, list(tasks), job
        self._parameters = parameters
        self._result: Any = None
        self._state = "not submitted"
        self._error: Exception | None = None
        # Not `Thread.join`: Python 3.11 takes a thread for ended when a signal interrupts that.
        self._over = Event()
        Thread(target=self._run, name="posemill-beam", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it is over; waits so long for that."""
        return self._over.wait(seconds)

    def end(self) -> None:
        """Cancel it where it is not over."""
        if not self._over.is_set() and self._parameters.runner is not None:
            self._cancel()
        self._over.wait(_END_SECONDS)

    def require_success(self, crew_failure: str | None) -> None:
        """Raises:
        EnvironmentFault: it did not end well; `crew_failure` is what the workers told of that.
        """
        if self._error is None and self._state == PipelineState.DONE:
            return
        if crew_failure is not None:
            raise EnvironmentFault(crew_failure) from self._error
        raise EnvironmentFault(
            f"the Beam job ended as {self._state}: {_told(self._error)}. What was committed stays. "
            "Look into the runner's own log for the cause, mend it and run the same command again"
        ) from self._error

    def _run(self) -> None:
        logging.getLogger("apache_beam.runners.common").addFilter(_is_news)
        try:
            add_shards(self._pipeline, self._tasks, self._job, self._parameters.dead_letter)
            self._result = self._pipeline.run()
            self._state = self._result.wait_until_finish()
        except Exception as error:  # noqa: BLE001 - runners raise anything; the driver tells it
            self._error = error
            self._state = PipelineState.FAILED
        finally:
            self._over.set()

    def _cancel(self) -> None:
        if self._result is None:
            return
        try:
            self._result.cancel()
        except Exception as error:  # noqa: BLE001 - what ended the run is to be told, not this
            _LOG.warning(
                "the Beam job could not be cancelled (%s); look for it at its runner", error
            )


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record tells of something else than what this driver is going to tell."""
    return record.exc_info is None or not isinstance(record.exc_info[1], PosemillError)


def _told(error: Exception | None) -> str:
    """The last line that is not empty of what a runner raised, which may hold a whole trace."""
    lines = [line for line in str(error or "").splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__
