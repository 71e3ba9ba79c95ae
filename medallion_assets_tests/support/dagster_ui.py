"""Dagster's UI in the system's Chromium: a real webserver on a kept instance, and a page of it."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Page

from medallion_assets.local_servers.local_process import free_port
from medallion_assets_tests.support.browser import chromium

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 60
"""Seconds for the server to answer or a page to show something: the code server's first load is slow."""

# As if the invitation to Dagster's community, which lies over the first page, had been skipped before.
INVITED = "localStorage.setItem('communityNux', JSON.stringify('1'))"


@contextmanager
def webserver(settings: Mapping[str, str], log: Path) -> Iterator[str]:
    """The address of a UI that answers; at the end its code server is gone, too."""
    port = free_port()
    command = [sys.executable, "-m", "dagster_webserver", "-m", "medallion_assets.definitions"]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(port)],
            cwd=REPOSITORY,
            env={**os.environ, **settings},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(server, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        end_group(server)


def _wait_until_it_answers(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{address}/server_info", timeout=5),
        ):
            return
        time.sleep(0.2)
    raise TimeoutError(f"the webserver does not answer:\n{log.read_text()[-2000:]}")


def end_group(server: subprocess.Popen[bytes]) -> None:
    """Asks the server and its children to end, then makes them, and fails if one is still there."""
    for how, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            server.poll()  # a child that ended stays in its group until it is asked for
            if not _group_lives(server.pid):
                return
            time.sleep(0.1)
    raise TimeoutError(f"processes of the webserver's group {server.pid} did not end")


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def ui_page(width: int, height: int) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, timezone_id="UTC")
        page.add_init_script(INVITED)
        yield page
