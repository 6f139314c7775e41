"""How ranges are written in each dialect: examples for the help, which a test holds to."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """A range, a version in it and one outside, in the dialects that read it so."""

    dialects: tuple[str, ...]
    whose: str
    text: str
    within: str
    outside: str


EXAMPLES = (
    Example(("jenkins",), "Jenkins", ">=2.4 <3", "2.462.1", "3.0"),
    Example(("semver",), "SemVer 2.0", ">=2.4.0 <3.0.0", "2.9.1", "3.0.0"),
    Example(("npm",), "npm", "^2.4.0 || 4.x", "2.9.1", "3.0.0"),
    Example(("helm",), "Helm", "~2.4.0, != 2.4.3", "2.4.1", "2.4.3"),
    Example(("pypi",), "Python (PEP 440)", "~=2.4, !=2.5.*", "2.6", "2.5.1"),
    Example(("maven",), "Maven", "[2.4,3)", "2.9", "3"),
    Example(("composer",), "Composer", "^2.4 || ~3.1.0", "3.1.9", "3.2.0"),
    Example(("ckan", "ckan-game"), "CKAN", ">=1.8 <2.0", "1.12.3", "2.0"),
    Example(("generic",), "others", ">=2.4 <3", "2.10", "3"),
)
