"""Ranges as people write them: ends, distributions and choices, checked against value and bounds."""

from __future__ import annotations

from functools import partial
from typing import Any

from pharmsim.quantities import KINDS
from pharmsim.scenario import text
from pharmsim.scenario.distributions import extremes, impossible, steps_of, stretched
from pharmsim.scenario.marks import quoted
from pharmsim.scenario.small_forms import gather
from pharmsim.scenario.text import FormError

RANGE_KEYS = ("low", "high", "dist", "choices", "uncertainty")
SAME = 1e-9
"""Relative difference up to which a value is one of the choices."""


def numbers(written: dict[str, Any], kind: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the numbers under some keys, in the unit of their kind; what is left out stays out."""
    given = [key for key in keys if written.get(key) is not None or key == "value"]
    try:
        found = gather(((key,), partial(text.number, written[key], kind)) for key in given)
    except FormError as error:
        if written.get("dist") != "empirical":
            raise
        bad = FormError()  # nobody wrote low and high: they are those of the draws
        for path, message in error.issues:
            told = path in (("low",), ("high",))
            bad.issues.append(
                ((), f"draws of {quoted(written.get('uncertainty'))} {message}") if told else (path, message)
            )
        raise bad from None
    return dict(zip(given, found, strict=True))


def completed(out: dict[str, Any], written: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return a number (or, without a `value`, a relative range) with what its range leaves out, checked.

    Parameters
    ----------
    out : dict
        Its numbers, `dist` and `uncertainty`, as they are read.
    written : dict
        As it is written.
    kind : str
        A key of `pharmsim.quantities.KINDS`.
    """
    dist, central = out.get("dist"), out.get("value", 1.0)
    if dist == "discrete" or written.get("choices") is not None:
        out = _with_choices(out, written, kind, central)
        dist = "discrete"
    if dist == "empirical" and "uncertainty" not in out:
        raise FormError("needs an `uncertainty`: the name of a column of a posterior", ("dist",))
    ranged = [key for key in ("low", "high") if key in out]
    if len(ranged) == 1:
        other = "high" if ranged == ["low"] else "low"
        raise FormError(f"has a `{ranged[0]}` and no `{other}`: give both ends of the range")
    if not ranged:
        if dist != "empirical":  # which has no range where its posterior cannot be read
            for key in ("dist", "uncertainty"):
                if key in out:
                    raise FormError(f"has a `{key}` and no range: give low and high")
        return out
    _in_order(out, written, central)
    why = impossible(central, out["low"], out["high"], dist)
    if why:
        raise FormError(f"must {why}; got {_shown(out, written)}")
    in_bounds(central, out["low"], out["high"], dist, kind)
    return out


def _shown(out: dict[str, Any], written: dict[str, Any]) -> str:
    keys = ("value", "low", "high") if "value" in out else ("low", "high")
    parts = [f"{key} {quoted(written.get(key, out[key]))}" for key in keys]
    return ", ".join(parts) if "value" in out else " and ".join(parts)


def _in_order(out: dict[str, Any], written: dict[str, Any], central: float) -> None:
    if out["low"] <= central <= out["high"]:
        return
    if out.get("dist") == "empirical" and "value" in out:
        ends = f"{out['low']:.6g} to {out['high']:.6g}"
        name = quoted(out["uncertainty"])
        raise FormError(f"must lie inside the draws of {name}, {ends}; got {quoted(written['value'])}")
    if "value" in out:
        raise FormError(f"must lie between low and high; got {_shown(out, written)}")
    raise FormError(f"must lie around 1, for it multiplies the values; got {_shown(out, written)}")


def in_bounds(central: float, low: float, high: float, dist: str | None, kind: str) -> None:
    """Refuse a distribution whose tails leave the bounds of a kind of number."""
    rule = KINDS[kind]
    least, most = extremes(central, low, high, dist)
    if least < rule.low or most > rule.high:
        side, end = ("below", least) if least < rule.low else ("above", most)
        raise FormError(
            f"must be {rule.text} in every draw; with `dist: {dist}` one in a million is {side} {end:.4g}: "
            "give a narrower range, or use `pert`, which ends at low and high"
        )


def _with_choices(out: dict[str, Any], written: dict[str, Any], kind: str, central: float) -> dict[str, Any]:
    choices = written.get("choices")
    if out.get("dist", "discrete") != "discrete":
        raise FormError(f"has no effect with `dist: {out['dist']}`: use `discrete`", ("choices",))
    if not isinstance(choices, dict) or not choices:
        got = "an empty one" if choices == {} else quoted(choices)
        message = f"must be a mapping such as {{8: 30 %, 10: 70 %}}; got {got}"
        raise FormError(message, ("choices",))
    values = gather((("choices", key), partial(text.number, key, kind)) for key in choices)
    shares = gather((("choices", key), partial(text.number, choices[key], "share")) for key in choices)
    if len(set(values)) < len(values):
        raise FormError("must name each value once", ("choices",))
    if abs(sum(shares) - 1.0) > 1e-6:
        raise FormError(f"must have probabilities that sum to 1; they sum to {sum(shares):.6g}", ("choices",))
    found = dict(zip(values, shares, strict=True))
    ends = {"low": min(values), "high": max(values)}
    new = {**ends, **out, "dist": "discrete", "choices": found}
    known = stretched(steps_of(found)[0], new["low"], new["high"]) if len(found) > 1 else values
    if not any(abs(central - x) <= SAME * max(abs(x), 1.0) for x in known):
        listed = ", ".join(f"{x:g}" for x in known)
        raise FormError(f"must be one of the choices {listed}; got {quoted(written.get('value', 1))}")
    return new
