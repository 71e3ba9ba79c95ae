"""Placeholder."""


def observe(source, since):
    raise NotImplementedError


def pull(spark, source, since):
    raise NotImplementedError
