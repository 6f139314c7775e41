"""Care for child processes: none outlives its parent, however that ends."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(how: int = signal.SIGKILL) -> None:
    """Ask the kernel for this signal when the parent dies. Only Linux can; elsewhere this does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(how), 0, 0, 0)


def bind_forks() -> None:
    """Let every process that this one forks from now on, and theirs in turn, die with its parent."""
    parent = os.getpid()

    def bind() -> None:
        nonlocal parent
        die_with_parent()
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)
        parent = os.getpid()

    os.register_at_fork(after_in_child=bind)
