"""The catalogue files by which cases name their releases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from governance.cases.world import Document
from governance.replaying import BadFile, read


@dataclass
class Shelf:
    """The files given, and those that lie beside the case file or beside a file given.

    A file given is known by what it holds, one that lies beside by its name.
    """

    beside: Path  # the case file
    given: Sequence[Path] = ()
    _read: dict[Path, Any] = field(default_factory=dict)

    def plugins(self, scheme: str, name: str) -> list[Document]:
        """The plugins of a catalogue in that dialect; raises BadFile where there is none."""
        found = self._found(name, lambda content: _is_catalogue(content, scheme))
        if found is None:
            raise BadFile(f"{self.beside}: no {name}.json.gz lies beside it; name one with --catalogue")
        return list(found)

    def core_releases(self, name: str) -> list[str]:
        """The hosts that a file of extra facts tells of; none where there is no such file."""
        found = self._found(name, lambda content: isinstance(content, dict) and "core_releases" in content)
        return list(found["core_releases"]) if found is not None else []

    def host_list(self, name: str) -> list[str]:
        """The hosts that a bare list tells of; none where there is no such file."""
        return list(self._found(name, _is_list_of_texts) or ())

    def _found(self, name: str, fits: Callable[[Any], bool]) -> Any:
        return next((content for path in self._places(name) if fits(content := self._content(path))), None)

    def _places(self, name: str) -> Iterator[Path]:
        yield from self.given
        for folder in self._folders:
            yield from (path for end in (".json.gz", ".json") if (path := folder / f"{name}{end}").exists())

    @cached_property
    def _folders(self) -> list[Path]:
        return list(dict.fromkeys(path.parent for path in (self.beside, *self.given)))

    def _content(self, path: Path) -> Any:
        if path not in self._read:
            self._read[path] = read(path)
        return self._read[path]


def _is_catalogue(content: Any, scheme: str) -> bool:
    if not isinstance(content, list) or not all(isinstance(plugin, dict) for plugin in content):
        return False
    return any(plugin.get("scheme") == scheme for plugin in content)


def _is_list_of_texts(content: Any) -> bool:
    return isinstance(content, list) and bool(content) and all(isinstance(text, str) for text in content)
