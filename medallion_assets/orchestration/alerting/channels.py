"""How a text is posted: to Slack, to a webhook or else to the log, within seconds and without the token in any word."""

import html
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from logging import Logger

import dagster as dg
import requests
from dagster_slack import SlackResource
from pydantic import Field
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.orchestration.alerting.incidents import Incident

PATIENCE_SECONDS = 5
MOST_MESSAGES = 20
"""A tick, so that a bad night fills no channel at once."""
MOST_CHARACTERS = 2000


class AlertSettings(dg.ConfigurableResource):
    """Where alerts go. Empty means MEDALLION_SLACK_CHANNEL, MEDALLION_ALERT_WEBHOOK and MEDALLION_UI, or the default.

    Slack is told where SLACK_BOT_TOKEN is set. The token is read when it is used and is no setting, so that definitions
    load without it and no configuration shows it.
    """

    channel: str = ""
    minimum_severity: str = Field(default="ERROR", pattern="^(WARN|ERROR)$")
    slack_url: str = WebClient.BASE_URL
    webhook: str = ""
    ui: str = ""

    @property
    def ui_url(self) -> str:
        return (self.ui or os.environ.get("MEDALLION_UI") or "http://127.0.0.1:3000").rstrip("/")

    def channels(self, log: Logger) -> "list[Channel]":
        """By name; the log where nothing else is told."""
        found: list[Channel] = []
        token = (dg.EnvVar("SLACK_BOT_TOKEN").get_value() or "").strip()
        if token:
            place = self.channel or os.environ.get("MEDALLION_SLACK_CHANNEL") or "#data-alerts"
            found.append(Channel("slack", _slack(token, self.slack_url, place)))
        webhook = self.webhook or os.environ.get("MEDALLION_ALERT_WEBHOOK")
        if webhook:
            found.append(Channel("webhook", _webhook(webhook)))
        return found or [Channel("log", lambda message: log.warning(message.text))]


@dataclass(frozen=True)
class Message:
    """What is posted; the fields are those of a webhook's JSON. cause: one a line."""

    text: str
    severity: str
    cause: str
    run_id: str
    url: str


@dataclass(frozen=True)
class Channel:
    name: str
    post: Callable[[Message], None]

    def deliver(self, incidents: Iterable[Incident], ui: str, told: dict[str, str]) -> str:
        """Posts what is news to the channel and adds its causes to `told`; says what has to wait, and why.

        A failed post is the last one of the tick: a channel that is down would take its patience for each message.
        """
        why, posted, waiting, end = "", 0, 0, time.monotonic() + PATIENCE_SECONDS
        for incident in incidents:
            if told.keys() >= set(incident.causes):
                continue
            if posted == MOST_MESSAGES:
                why = why or f"{posted} were sent in this tick"
            elif time.monotonic() > end:
                why = why or f"it took over {PATIENCE_SECONDS} s"
            why = why or self._failure(message(incident, ui))
            if why:
                waiting += 1
            else:
                posted += 1
                told.update(dict.fromkeys(incident.causes, now().isoformat()))
        return f"{self.name}: {waiting} wait: {why}" if waiting else ""

    def _failure(self, text: Message) -> str:
        try:
            self.post(text)
        except Exception as error:  # whatever a network does
            return _reason(error)
        return ""


def message(incident: Incident, ui: str) -> Message:
    url = f"{ui}/runs/{incident.run_id}" if incident.run_id else ui
    link = f"\n<{url}|run {escaped(incident.run_id[:8])}>" if incident.run_id else ""
    text = _capped(escaped(incident.text), MOST_CHARACTERS - len(link)) + link
    return Message(text, incident.severity, "\n".join(incident.causes), incident.run_id, url)


def escaped(text: str) -> str:
    """Data is no markup and mentions nobody: not `<!channel>`, nor a bare @here where a chat reads one."""
    return html.escape(text, quote=False).replace("@", "@\u200b")


def _capped(text: str, most: int) -> str:
    """The end does not cut through an entity such as &lt;."""
    return text if len(text) <= most else re.sub(r"&[a-z]*$", "", text[: most - 1]) + "…"


class _Slack(SlackResource):
    """dagster-slack's, with an address and a patience, and without the retries: the next tick is one."""

    base_url: str

    def get_client(self) -> WebClient:
        return WebClient(self.token, base_url=self.base_url, timeout=PATIENCE_SECONDS, retry_handlers=[])


def _slack(token: str, base_url: str, channel: str) -> Callable[[Message], None]:
    client = _Slack(token=token, base_url=base_url).get_client()

    def post(message: Message) -> None:
        client.chat_postMessage(
            channel=channel, text=message.text, parse="none", link_names=False, unfurl_links=False
        )

    return post


def _webhook(url: str) -> Callable[[Message], None]:
    def post(message: Message) -> None:
        requests.post(url, json=asdict(message), timeout=PATIENCE_SECONDS).raise_for_status()

    return post


def _reason(error: Exception) -> str:
    """Made of codes and names of classes: the text of an error may hold the webhook's address, which is a secret."""
    status = getattr(getattr(error, "response", None), "status_code", 200)
    if status != 200:
        return f"HTTP {status}"
    code = str(error.response.get("error")) if isinstance(error, SlackApiError) else ""
    if re.fullmatch(r"[a-z_]{1,40}", code):
        return code
    return type(getattr(error, "reason", None) or error).__name__
