from setuptools import setup  # All facts about the package are in pyproject.toml.

setup()
