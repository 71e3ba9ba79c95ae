"""Where Spark runs, as its settings say: in this process, on a cluster, or behind a Spark Connect server."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|\[?::1\]?")
CONNECT_PORT = 15002


@dataclass(frozen=True)
class Master:
    """settings: those that are given, before our defaults."""

    settings: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.settings.get("spark.remote") or self.settings.get("spark.master") or "local[*]"

    @property
    def shown(self) -> str:
        """Without the parameters of Spark Connect, which may hold a token."""
        return self.url.partition("/;")[0]

    @property
    def is_local(self) -> bool:
        """Whether the executor is in this process, too."""
        return self.url.startswith("local")

    @property
    def is_connect(self) -> bool:
        """Whether the driver is another process, a Spark Connect server."""
        return "spark.remote" in self.settings

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of the standalone masters or of the Connect server; none of others."""
        scheme, _, rest = self.url.partition("://")
        if scheme not in ("spark", "sc"):
            return []
        pairs = [place.rpartition(":") for place in rest.partition("/")[0].split(",")]
        return [(host.strip("[]"), int(port)) if host else (port, CONNECT_PORT) for host, _, port in pairs]

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the executors have our folders: in this process, or of a master that only this machine reaches."""
        hosts = [host for host, _ in self.addresses]
        return self.is_local or (bool(hosts) and all(_LOOPBACK.fullmatch(host) for host in hosts))

    @property
    def adds_executors(self) -> bool:
        """Whether there may be no executor until there is work."""
        return self.settings.get("spark.dynamicAllocation.enabled", "").lower() == "true"

    @property
    def cores(self) -> int | None:
        """How many tasks run at a time; None where the settings do not say it."""
        if self.is_local:
            number = re.fullmatch(r"local\[(\d+).*\]", self.url)
            return int(number[1]) if number else 1 if self.url == "local" else os.cpu_count() or 2
        if most := self.settings.get("spark.cores.max"):
            return int(most)
        name = "spark.dynamicAllocation.maxExecutors" if self.adds_executors else "spark.executor.instances"
        executors, each = self.settings.get(name), self.settings.get("spark.executor.cores")
        return int(executors) * int(each) if executors and each else None
