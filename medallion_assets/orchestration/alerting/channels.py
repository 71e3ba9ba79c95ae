"""How alerts are sent: to Slack, to a webhook, or else to the log; within seconds, and with no secret in a text."""

import html
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from logging import Logger
from typing import Any

import dagster as dg
import requests
from dagster_slack import SlackResource
from pydantic import Field
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from medallion_assets.lakehouse.control.small_table import now
from medallion_assets.orchestration.alerting.incidents import RECOVERED, Incident, recovery

PATIENCE_SECONDS = 5
MAX_MESSAGES = 20
"""In one tick, so that a bad night does not flood a channel."""
MAX_CHARACTERS = 2000
"""Of a message."""


class AlertSettings(dg.ConfigurableResource[None]):
    """Where alerts go. Empty means MEDALLION_SLACK_CHANNEL, MEDALLION_ALERT_WEBHOOK and MEDALLION_UI, or the default.

    Slack is used where SLACK_BOT_TOKEN is set. The token is no setting but is read when it is used, so that definitions
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
        """Those that are set up; the log where none is."""
        found: list[Channel] = []
        token = (dg.EnvVar("SLACK_BOT_TOKEN").get_value() or "").strip()
        if token:
            place = self.channel or os.environ.get("MEDALLION_SLACK_CHANNEL") or "#data-alerts"
            found.append(Channel("slack", _slack(token, self.slack_url, place)))
        webhook = self.webhook or os.environ.get("MEDALLION_ALERT_WEBHOOK")
        if webhook:
            found.append(Channel("webhook", _webhook(webhook)))
        return found or [Channel("log", lambda message: log.warning(message.plain))]


@dataclass(frozen=True)
class Message:
    """What is sent; a webhook gets these fields as JSON, but for the last.

    text: with the run as a link in the way of chats, and marks of theirs escaped
    cause: one a line
    plain: the text for a log, with an address that terminals make a link of
    """

    text: str
    severity: str
    cause: str
    run_id: str
    url: str
    plain: str


@dataclass(frozen=True)
class Channel:
    """Where messages go. `post` raises where one was not taken."""

    name: str
    post: Callable[[Message], None]

    def deliver(
        self, incidents: Iterable[Incident], is_over: Callable[[str], bool], ui: str, sent: dict[str, str]
    ) -> str:
        """Sends the new incidents and adds their causes to `sent`; returns how many have to wait, and why.

        is_over: whether what a cause names has come right again. That is told once, of causes that were sent; after it
        they are news again.

        A failed message is the last one of the tick: a channel that is down would use up the time limit for each.
        """
        why, messages, waiting, end = "", 0, 0, time.monotonic() + PATIENCE_SECONDS
        told = [cause for cause in sent if is_over(cause)]
        new = [incident for incident in incidents if not sent.keys() >= set(incident.causes)]
        for incident in [*new, recovery(told)] if told else new:
            why = why or _limit_reached(messages, end) or self._failure(message(incident, ui))
            if why:
                waiting += 1
            else:
                messages += 1
                _remember(incident, sent)
        return f"{self.name}: {waiting} waiting: {why}" if waiting else ""

    def _failure(self, text: Message) -> str:
        """Why the message could not be sent; empty if it was."""
        try:
            self.post(text)
        except Exception as error:  # whatever a network does
            return _reason(error)
        return ""


def _remember(incident: Incident, sent: dict[str, str]) -> None:
    if incident.severity == RECOVERED:
        for cause in incident.causes:
            del sent[cause]
    else:
        sent.update(dict.fromkeys(incident.causes, now().isoformat()))


def _limit_reached(messages: int, end: float) -> str:
    """Why this tick sends no more; empty if it may."""
    if messages == MAX_MESSAGES:
        return f"{messages} were sent in this tick, the most at a time"
    return f"sending took over {PATIENCE_SECONDS} s" if time.monotonic() > end else ""


def message(incident: Incident, ui: str) -> Message:
    url = f"{ui}/runs/{incident.run_id}" if incident.run_id else ui
    link = f"\n<{url}|run {escaped(incident.run_id[:8])}>" if incident.run_id else ""
    text = _capped(escaped(incident.text), MAX_CHARACTERS - len(link)) + link
    plain = f"{incident.text}\n{url}" if incident.run_id else incident.text
    return Message(text, incident.severity, "\n".join(incident.causes), incident.run_id, url, plain)


def escaped(text: str) -> str:
    """Text that a chat shows as it is: no markup, and no mention such as `<!channel>` or a bare @here."""
    return html.escape(text, quote=False).replace("@", "@\u200b")


def _capped(text: str, most: int) -> str:
    """Shortened, but not within an entity such as &lt;."""
    return text if len(text) <= most else re.sub(r"&[a-z]*$", "", text[: most - 1]) + "…"


class _Slack(SlackResource):
    """dagster-slack's, with an address and a time limit, and without retries: the next tick is one."""

    base_url: str

    def get_client(self) -> WebClient:
        return WebClient(self.token, base_url=self.base_url, timeout=PATIENCE_SECONDS, retry_handlers=[])


def _slack(token: str, base_url: str, channel: str) -> Callable[[Message], None]:
    client = _Slack(token=token, base_url=base_url).get_client()

    def post(message: Message) -> None:
        client.chat_postMessage(  # pyright: ignore[reportUnknownMemberType]
            channel=channel, text=message.text, parse="none", link_names=False, unfurl_links=False
        )

    return post


def _webhook(url: str) -> Callable[[Message], None]:
    def post(message: Message) -> None:
        fields = {name: value for name, value in asdict(message).items() if name != "plain"}
        requests.post(url, json=fields, timeout=PATIENCE_SECONDS).raise_for_status()

    return post


def _reason(error: Exception) -> str:
    """Only codes and names of classes: the text of an error may hold the webhook's address, which is a secret."""
    response: Any = getattr(error, "response", None)
    status = getattr(response, "status_code", 200)
    if status != 200:
        return f"HTTP {status}"
    code = str(response.get("error")) if isinstance(error, SlackApiError) else ""
    if re.fullmatch(r"[a-z_]{1,40}", code):
        return code
    return type(getattr(error, "reason", None) or error).__name__
