"""Documents that people write: read with their lines, checked, told apart."""

from governance.documents.comparing import Change, changes, digest
from governance.documents.problems import ConfigurationError, Problem
from governance.documents.reading import Source, parse, read

__all__ = ["Change", "ConfigurationError", "Problem", "Source", "changes", "digest", "parse", "read"]
