"""The base of all errors that are raised here on purpose, for people to act on."""

from typing import ClassVar


class MedallionError(Exception):
    """The message names what is wrong and how to mend it.

    retryable: whether the same attempt may succeed a little later
    """

    retryable: ClassVar[bool] = False
