"""Schemas of messages, by their number, from a schema registry that speaks Confluent's API; a schema never changes."""

import json
import logging
from base64 import b64encode
from functools import lru_cache
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from medallion_assets.contracts.named_value import named_value
from medallion_assets.errors import MedallionError

SECONDS = 10
"""How long the registry may take to answer."""

_UNKNOWN = 40403
"""Confluent's word for a number that no schema has; any other 404 says that there is no such path."""

_log = logging.getLogger(__name__)


class RegistryError(MedallionError):
    """The registry cannot be asked as the contract says. The message names it, never a password."""


class RegistryUnreachable(RegistryError):
    """The registry does not answer now, and may in a minute."""

    retryable = True


def schemas(registry: str, numbers: set[int]) -> dict[int, str]:
    """The Avro schemas of these numbers, as JSON; without those that the registry does not know.

    registry: its URL, or $NAME of the environment variable that holds it. RegistryError, RegistryUnreachable.
    """
    url = named_value(registry).rstrip("/")
    if not url:
        raise RegistryError(
            f"the environment variable {registry[1:]}, of a schema registry, is not set: set it"
        )
    found: dict[int, str] = {}
    for number in sorted(numbers):
        try:
            found[number] = _schema(url, number)
        except LookupError as error:
            _log.warning(f"{error}: its messages go to quarantine. Register it, then replay the table.")
    return found


@lru_cache(maxsize=1_000)
def _schema(url: str, number: int) -> str:
    """LookupError where there is no such schema that can be used, which is asked for again the next time."""
    answer, shown = _asked(url, number), f"schema {number} of {_shown(url)}"
    if answer is None:
        raise LookupError(f"{shown} does not exist")
    if answer.get("schemaType", "AVRO") != "AVRO":
        raise LookupError(f"{shown} is in {answer['schemaType']}, not in Avro")
    if answer.get("references"):
        raise LookupError(f"{shown} refers to other schemas, which is not supported")
    schema = json.loads(answer["schema"])
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise LookupError(f"{shown} is no record")
    return answer["schema"]


def _asked(url: str, number: int) -> dict[str, Any] | None:
    parts = urlsplit(url)
    request = Request(f"{parts.scheme}://{_host(url)}{parts.path}/schemas/ids/{number}")
    if parts.username is not None:
        user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(user.encode()).decode()}")
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)
    except HTTPError as error:
        if error.code == 404 and _error_code(error) == _UNKNOWN:
            return None
        if error.code == 404:
            raise RegistryError(
                f"{_shown(url)} is not Confluent's API of a schema registry (404): correct its path"
            ) from None
        if error.code in (401, 403):
            raise RegistryError(
                f"the schema registry {_shown(url)} refuses the login ({error.code}): correct user and password"
            ) from None
        raise RegistryUnreachable(f"the schema registry {_shown(url)} answers {error.code}") from None
    except (URLError, TimeoutError, OSError, ValueError) as error:
        raise RegistryUnreachable(f"the schema registry {_shown(url)} does not answer: {error}") from None


def _error_code(error: HTTPError) -> int | None:
    """What the registry says of it, in JSON; None where it says nothing."""
    try:
        return json.load(error)["error_code"]
    except (ValueError, KeyError, TypeError):
        return None


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _shown(url: str) -> str:
    """The URL without a password."""
    return f"{urlsplit(url).scheme}://{_host(url)}{urlsplit(url).path}"
