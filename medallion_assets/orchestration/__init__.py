"""The only room that imports dagster: tables become assets, checks and jobs here."""

import warnings

import dagster as dg

# Partitioned checks are in preview and code references in beta; the exact version is pinned and its behaviour tested.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)
