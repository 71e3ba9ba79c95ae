"""What the make targets run: one module a command. They use the other folders; no folder uses them."""

import sys

from medallion_assets.errors import MedallionError

try:
    import medallion_assets.orchestration.settings as _settings  # noqa: F401
except MedallionError as wrong_settings:
    sys.exit(str(wrong_settings))
