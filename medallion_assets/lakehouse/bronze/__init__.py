"""Ingestion: each day of bronze comes to equal its landed folder, or takes the next batch of its followed source.

Rows stay text here. Types, rules and keys belong to `silver`, reading files to `landing`.
"""

from medallion_assets.lakehouse.bronze.deleted_keys import reconcile_keys
from medallion_assets.lakehouse.bronze.ingest import audit_days, ingest_days
from medallion_assets.lakehouse.bronze.ingest_source import Ingested, ingest_batch

__all__ = ["Ingested", "audit_days", "ingest_batch", "ingest_days", "reconcile_keys"]
