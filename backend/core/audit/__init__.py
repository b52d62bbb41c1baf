"""Audit of a training set: what else than a generator's traces could tell its classes apart."""
