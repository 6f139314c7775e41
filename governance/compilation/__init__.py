"""Policies compiled, once, to what the drift join reads.

That is: rules, the tenants that they choose, and the releases that break them.
"""

from governance.compilation.policies import compile_version
from governance.compilation.renewal import recompile
from governance.compilation.targets import settle_targets

__all__ = ["compile_version", "recompile", "settle_targets"]
