"""How answers are scored: accuracies, average precision, AVA's frame mAP; numpy alone."""

from posemill.pipelines.metrics.average_precision import mean_average_precision
from posemill.pipelines.metrics.classification import top_k_accuracy
from posemill.pipelines.metrics.evaluation import Evaluation

__all__ = ["Evaluation", "mean_average_precision", "top_k_accuracy"]
