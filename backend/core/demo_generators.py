"""Four small image generators for the demonstration set, in numpy alone; each leaves the traces of its kind."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

Generator = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]
"""From an RGB square to another of the same size."""

_PATCH = 8
_CODE = 20
_HIDDEN = 48
_STEPS = 400
_BATCH = 256


def fit_generators(squares: NDArray[np.uint8], seed: int) -> dict[str, Generator]:
    """Name -> generator, fitted where it has something to fit.

    Squares are n x side x side x 3 with a side that divides by 8.
    """
    random = np.random.default_rng(seed)
    autoencoder = PatchAutoencoder.fit(squares, random)
    kernel = fit_transposed_kernel(squares, random)
    return {
        "autoencoder": lambda square, _: autoencoder.generate(square),
        "bicubic-upsampler": lambda square, _: upsample_bicubic(square),
        "transposed-upsampler": lambda square, _: upsample_transposed(square, kernel),
        "spectral-texture": synthesise_texture,
    }


class PatchAutoencoder:
    """A perceptron with one hidden layer on each side of a short code, run over overlapping patches."""

    def __init__(self, weights: list[NDArray[np.float32]], biases: list[NDArray[np.float32]]) -> None:
        self._weights, self._biases = weights, biases

    @classmethod
    def fit(cls, squares: NDArray[np.uint8], random: np.random.Generator) -> PatchAutoencoder:
        """The autoencoder after _STEPS steps of Adam (Kingma & Ba 2015) on random patches, squared error."""
        sizes = [_PATCH * _PATCH * 3, _HIDDEN, _CODE, _HIDDEN, _PATCH * _PATCH * 3]
        pairs = itertools.pairwise(sizes)
        weights = [random.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in pairs]
        biases = [np.zeros(size, np.float32) for size in sizes[1:]]
        model = cls(weights, biases)
        with threadpool_limits(1):  # the matrices are small, and the sums are the same on every machine
            model._descend(squares, random)
        return model

    def _descend(self, squares: NDArray[np.uint8], random: np.random.Generator) -> None:
        values = self._weights + self._biases
        moments = [(np.zeros_like(value), np.zeros_like(value)) for value in values]
        for step in range(1, _STEPS + 1):
            gradients = self._gradients(_random_patches(squares, random))
            for value, gradient, (mean, square) in zip(values, gradients, moments, strict=True):
                mean[...] = 0.9 * mean + 0.1 * gradient
                square[...] = 0.999 * square + 0.001 * gradient**2
                value[...] -= 0.003 * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)

    def generate(self, square: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The square decoded from its patches' codes, the mean of patches every 4 pixels."""
        side, step = square.shape[0], _PATCH // 2
        starts = [(y, x) for y in range(0, side - _PATCH + 1, step) for x in range(0, side - _PATCH + 1, step)]
        patches = np.stack([square[y : y + _PATCH, x : x + _PATCH].ravel() for y, x in starts])
        decoded = self._layers(_to_range(patches))[-1].reshape(-1, _PATCH, _PATCH, 3)
        total, count = np.zeros(square.shape), np.zeros((side, side, 1))
        for (y, x), patch in zip(starts, decoded, strict=True):
            total[y : y + _PATCH, x : x + _PATCH] += patch
            count[y : y + _PATCH, x : x + _PATCH] += 1
        return _to_pixels((total / count + 1) * 127.5)

    def _layers(self, patches: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Activations of every layer, the input first; hidden layers are rectified, the code and the output are not."""
        values = [patches]
        for layer, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            raw = values[-1] @ weight + bias
            values.append(np.maximum(raw, 0) if layer in (0, 2) else raw)
        return values

    def _gradients(self, patches: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        values = self._layers(patches)
        slope = (values[-1] - patches) * np.float32(2 / patches.size)
        weights: list[NDArray[np.float32]] = []
        biases: list[NDArray[np.float32]] = []
        for layer in reversed(range(len(self._weights))):
            if layer in (0, 2):
                slope = slope * (values[layer + 1] > 0)
            weights.insert(0, values[layer].T @ slope)
            biases.insert(0, slope.sum(axis=0))
            slope = slope @ self._weights[layer].T
        return weights + biases


def upsample_bicubic(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The square halved, brought back by bicubic interpolation and sharpened: a simple super-resolution."""
    from scipy.ndimage import gaussian_filter  # here, for serving processes and workers import this module

    small = Image.fromarray(_halve(square))
    large = np.asarray(small.resize((square.shape[1], square.shape[0]), Image.Resampling.BICUBIC), dtype=np.float64)
    return _to_pixels(large + 0.8 * (large - gaussian_filter(large, (1.2, 1.2, 0))))


def fit_transposed_kernel(squares: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float64]:
    """The 5 x 5 kernel of a transposed convolution of stride 2 from halved squares to squares.

    Least squares, then blurred by noise as a training that stops early leaves it: with an odd kernel the four phases
    of the output get uneven sums, the checkerboard of Odena et al. 2016.
    """
    chosen = squares[random.choice(len(squares), min(48, len(squares)), replace=False)]
    rows = [_taps(_halve(square)[..., channel]) for square in chosen for channel in range(3)]
    wanted = [square[..., channel].ravel().astype(np.float64) for square in chosen for channel in range(3)]
    kernel: NDArray[np.float64] = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
    kernel += random.normal(0, 0.012, kernel.shape)
    return kernel


def upsample_transposed(square: NDArray[np.uint8], kernel: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The square halved and brought back by the transposed convolution."""
    small = _halve(square)
    channels = [(_taps(small[..., channel]) @ kernel).reshape(square.shape[:2]) for channel in range(3)]
    return _to_pixels(np.stack(channels, axis=-1))


def synthesise_texture(square: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """A texture with the square's power spectrum and new phases, the same for all channels (Galerne et al. 2011)."""
    mean = square.mean(axis=(0, 1))
    phases = np.angle(np.fft.fft2(random.normal(size=square.shape[:2])))
    spectrum = np.fft.fft2(square - mean, axes=(0, 1)) * np.exp(1j * phases)[..., None]
    return _to_pixels(np.fft.ifft2(spectrum, axes=(0, 1)).real + mean)


def _random_patches(squares: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.float32]:
    side = squares.shape[1]
    which = random.integers(0, len(squares), _BATCH)
    corners = random.integers(0, side - _PATCH + 1, (_BATCH, 2))
    windows = np.lib.stride_tricks.sliding_window_view(squares, (_PATCH, _PATCH), axis=(1, 2))
    patches = windows[which, corners[:, 0], corners[:, 1]].transpose(0, 2, 3, 1)  # channels last
    return _to_range(patches.reshape(_BATCH, -1))


def _halve(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    half = (square.shape[1] // 2, square.shape[0] // 2)
    return np.asarray(Image.fromarray(square).resize(half, Image.Resampling.BOX), dtype=np.uint8)


def _taps(small: NDArray[np.uint8]) -> NDArray[np.float64]:
    """For every pixel of the doubled channel the 25 inputs under the kernel, zeros where none lies: pixels x 25."""
    height, width = small.shape
    spread = np.zeros((2 * height + 4, 2 * width + 4))
    spread[2:-2:2, 2:-2:2] = small
    windows = np.lib.stride_tricks.sliding_window_view(spread, (5, 5))
    return windows.reshape(4 * height * width, 25)


def _to_range(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Values 0..255 as -1..1."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def _to_pixels(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
