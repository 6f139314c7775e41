"""What a policy set would do, with nothing done: the real detection and evaluation over other inputs."""

from governance.simulation.running import simulate, simulate_files
from governance.simulation.supposing import Supposition

__all__ = ["Supposition", "simulate", "simulate_files"]
