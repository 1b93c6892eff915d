"""Convolutions that several published networks are built on, without their classifiers."""
