"""Stopwatch of wall clock and processor."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stopwatch:
    """Adds up the time of everything that ran under `running`.

    Processor time of ended child processes is included. It says more than the wall clock on a machine that is busy.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), cpu_seconds()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - wall
            self.cpu_seconds += cpu_seconds() - cpu

    def without(self, part: "Stopwatch") -> "Stopwatch":
        """What is left of this time without one of its parts."""
        return Stopwatch(self.seconds - part.seconds, self.cpu_seconds - part.cpu_seconds)

    def __str__(self) -> str:
        return f"{self.seconds:.3f} s (processor {self.cpu_seconds:.2f} s)"


def cpu_seconds() -> float:
    """User and system time of this process and of its ended children."""
    return sum(os.times()[:4])
