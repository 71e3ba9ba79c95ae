"""A table for each pattern that the repository's own tables do not show. `medallion_assets.examples` loads them."""
