"""Clip selection: which short clips of a video a classifier's answer is drawn from.

Shah et al., "Pose and Joint-Aware Action Recognition", WACV 2022, supplement 12, after
Korbar et al., "SCSampler", ICCV 2019. A *video* is here whatever clip of a catalog was
cut, a *clip* one of the short ones that it was cut into.
"""
