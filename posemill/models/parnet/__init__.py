"""PARNet: people's poses through time, what the frames show, and where the pose says to look.

Cui, Wang, Zhang, Sun, Wang: "Pose-Appearance Relational Modeling for Video Action
Recognition", IEEE Transactions on Image Processing, 2022; equations by its numbers.
"""
