"""The only folder that imports dagster: tables become assets with checks, jobs, sensors and alerts.

How rows are read, computed and written belongs to `lakehouse`.
"""

import warnings

import dagster as dg

# Partitioned checks are in preview and code references in beta; the exact version is pinned and its behaviour tested.
warnings.filterwarnings("ignore", category=dg.PreviewWarning)
warnings.filterwarnings("ignore", category=dg.BetaWarning)
