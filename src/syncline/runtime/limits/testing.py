"""A Redis of one's own, for tests and benchmarks: a real `redis-server`, which has to be installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry


class RedisServer:
    """A process on a socket in `folder`, whose path may have 90 characters. With `keeps` every write is on disk before
    its answer, so that a stop loses nothing."""

    def __init__(self, folder: Path, *, keeps: bool = False) -> None:
        self.folder = folder
        self.keeps = keeps
        self.url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers. Raises `FileNotFoundError` when `redis-server` is not installed."""
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("redis-server is not installed (Debian: apt-get install redis-server)")
        command = [program, "--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "yes" if self.keeps else "no", "--appendfsync", "always"]
        command += ["--logfile", "redis.log"]
        self._process = subprocess.Popen(command)  # noqa: S603 - our own words
        patient = Retry(ConstantBackoff(0.02), 500, supported_errors=(redis.ConnectionError,))
        with redis.Redis.from_url(self.url, retry=patient) as client:
            client.ping()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None
