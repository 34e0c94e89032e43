"""How likely published numbers are, given what a model predicts: observation models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.arrays import Floats, Ints

MODELS = ("normal_log", "student_log", "negative_binomial", "normal")
LOG_ROOT_TWO_PI = 0.9189385332046727


@dataclass(frozen=True)
class Predicted:
    """What candidates predict for every target.

    Attributes
    ----------
    mean : float64 array, shape (candidates, targets)
        Not a number where the model cannot run.
    scale : float64 array, broadcast to the same shape
        Standard deviation of measurement and model together: relative, but absolute for `normal` if
        `Observed.absolute`.
    size : float64 array, broadcast to the same shape
        Of the negative binomial: variance = mean + mean² / size.
    """

    mean: Floats
    scale: Floats
    size: Floats


@dataclass(frozen=True)
class Observed:
    """Published numbers and how they scatter.

    Attributes
    ----------
    value : float64 array, shape (targets,)
    model : tuple of str
        Of each target, from `MODELS`.
    df : float64 array, shape (targets,)
        Degrees of freedom of `student_log`.
    weight : float64 array, shape (targets,)
        Multiplies the log likelihood; what has weight 0 may be not a number.
    absolute : bool
        Whether scales of `normal` are in the unit of the number, not relative to it.
    """

    value: Floats
    model: tuple[str, ...]
    df: Floats
    weight: Floats
    absolute: bool = False

    def pointwise(self, predicted: Predicted) -> Floats:
        """Weighted log likelihood of each target, shape (candidates, targets); −∞ where impossible."""
        mean, scale, size = np.broadcast_arrays(predicted.mean, predicted.scale, predicted.size)
        out = np.zeros(mean.shape)
        for name in dict.fromkeys(self.model):
            at = np.flatnonzero((np.array(self.model) == name) & (self.weight > 0.0))
            if at.size:
                y, part = self.value[at], (mean[:, at], scale[:, at], size[:, at])
                with np.errstate(divide="ignore", invalid="ignore"):
                    out[:, at] = self._density(name, at, y, *part) * self.weight[at]
        return np.where(np.isnan(out), -np.inf, out)

    def _density(self, name: str, at: Ints, y: Floats, mean: Floats, scale: Floats, size: Floats) -> Floats:
        from scipy.special import gammaln

        if name == "negative_binomial":
            known = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0)
            chance = y * np.log(mean / (mean + size)) if np.any(y) else 0.0
            return np.asarray(known + chance + size * np.log(size / (mean + size)))
        if name == "normal":
            sd = self._sd(y, mean, scale)
            return np.asarray(-0.5 * ((y - mean) / sd) ** 2 - np.log(sd) - LOG_ROOT_TWO_PI)
        off = (np.log(y) - np.log(mean)) / scale
        change = np.log(scale) + np.log(y)  # density of the number itself, not of its logarithm
        if name == "normal_log":
            return np.asarray(-0.5 * off**2 - change - LOG_ROOT_TWO_PI)
        df = self.df[at]
        known = gammaln((df + 1.0) / 2.0) - gammaln(df / 2.0) - 0.5 * np.log(df * np.pi)
        return np.asarray(known - (df + 1.0) / 2.0 * np.log1p(off**2 / df) - change)

    def _sd(self, y: Floats, mean: Floats, scale: Floats) -> Floats:
        if self.absolute:
            return scale
        return np.asarray(scale * np.abs(np.where(np.isnan(y), mean, y)))

    def replicate(self, predicted: Predicted, seed: int) -> Floats:
        """Numbers that could have been published instead, shape (candidates, targets)."""
        rng = np.random.default_rng(seed)
        mean, scale, size = np.broadcast_arrays(predicted.mean, predicted.scale, predicted.size)
        out = np.empty(mean.shape)
        for j, name in enumerate(self.model):  # one by one: a target moves no number of those before it
            mu, s, noise = mean[:, j], scale[:, j], rng.standard_normal(len(mean))
            if name == "negative_binomial":
                rate = rng.gamma(size[:, j]) / size[:, j]
                out[:, j] = rng.poisson(np.nan_to_num(np.maximum(mu, 0.0)) * rate)
            elif name == "normal":
                out[:, j] = mu + self._sd(self.value[j : j + 1], mu, s) * noise
            else:
                spread = np.sqrt(self.df[j] / rng.chisquare(self.df[j], len(mean)))
                out[:, j] = mu * np.exp(s * noise * (spread if name == "student_log" else 1.0))
        return out
