"""Fingerprints of generators: what is common to the noise residuals of the images that one of them made."""
