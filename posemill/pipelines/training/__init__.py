"""The parts of the training loop: settings, schedules, the held-out part, processes, logs."""
