"""One-stage estimators that are ONNX files, run by ONNX Runtime: `rtmo` and `yolo-pose`.

Two names and not one that guesses: the name, which stores keep, tells the
architecture, its licence and its published weights. What a file holds is found by
running it once; one of the other kind is refused, and the message names that kind.
"""
