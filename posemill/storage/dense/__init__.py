"""An estimator's dense maps on their way into a pose store, and in it."""
