"""Rules in words for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from governance.rules.wishes import DISTANCES, Wish

_UNITS = {"h": "hour", "d": "day", "w": "week"}


def says(wish: Wish, plugins: Sequence[str] | None) -> str:
    """The rule as a sentence without its full stop; `plugins` None stands for every plugin."""
    subject = _listed(plugins) if plugins is not None else "every plugin"
    return f"{subject} must {_PREDICATES[wish.kind](wish)}"


def _bounds(wish: Wish) -> str:
    (word, text), *_ = wish.value.items()
    forms = {"range": "be in the range {}", "at_least": "be {} or newer", "at_most": "be {} or older"}
    return forms.get(word, "be {}").format(text)


def _same(wish: Wish) -> str:
    return f"be {wish.value.get('at', 'the same version')} in every selected tenant"


def _within(wish: Wish) -> str:
    distances = [_distance(unit, wish.value[unit]) for unit in DISTANCES if unit in wish.value]
    channel = f" of the channel {wish.value['channel']}" if "channel" in wish.value else ""
    return f"be at most {_listed(distances)} behind the newest release{channel}"


def _distance(unit: str, count: int) -> str:
    noun = "release" if unit == "releases" else f"{unit} version"
    return _counted(count, noun)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _min_age(wish: Wish) -> str:
    text = wish.value["min_age"]
    digits = "".join(character for character in text if character.isdigit())
    unit = _UNITS[text.removeprefix(digits).strip()[0]]
    return f"have been out for {_counted(int(digits), unit)}"


def _denied(wish: Wish) -> str:
    states = {"vulnerable": "have no security warning", "withdrawn": "not be withdrawn"}
    return states.get(wish.value["deny"], f"not be in the range {wish.value['deny']}")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


_PREDICATES: dict[str, Callable[[Wish], str]] = {
    "range": _bounds,
    "same": _same,
    "within": _within,
    "channel": lambda wish: f"come from the channel {wish.value['channel']}",
    "min_age": _min_age,
    "deny": _denied,
    "present": lambda _: "be installed",
    "absent": lambda _: "not be installed",
    "hold": lambda _: "stay as installed",
}
