"""Numbers as tables, captions and pictures show them."""

import math

_MINUS = "\N{MINUS SIGN}"


def shown(value: float) -> str:
    """A number: three decimals, none from 1000 on, a dash for NaN."""
    if math.isnan(value):
        return "–"  # noqa: RUF001
    text = f"{value:.3f}" if abs(value) < 1000 else f"{value:.0f}"
    return text.replace("-", _MINUS)


def signed(value: float) -> str:
    """A difference: the same with its sign."""
    return f"+{shown(value)}" if value > 0 else shown(value)


def interval(low: float, high: float) -> str:
    """The ends of an interval, "[0.925, 0.951]"; "" if both are not known, a dash for one."""
    return "" if math.isnan(low) and math.isnan(high) else f"[{shown(low)}, {shown(high)}]"


def short_number(value: float) -> str:
    """A difference for a small place, two digits after the point and none before it: "+.46"."""
    size = f"{abs(value):.2f}" if abs(value) < 10 else f"{abs(value):.0f}"
    return f"{_MINUS if value < 0 else '+'}{size.removeprefix('0')}"


def signed_whole(value: int) -> str:
    """A whole number with its sign, 0 without one."""
    return f"{value:+d}".replace("-", _MINUS) if value else "0"
