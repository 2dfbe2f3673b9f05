"""Mappings: what users write, in YAML and without code, to make events of a source's records (docs/reference/mappings.md)."""

from watchword.ingest.mapping_load import bare_mapping, load_mapping
from watchword.ingest.mapping_run import Mapping, Parsed
from watchword.ingest.native import Native

__all__ = ["Mapping", "Native", "Parsed", "bare_mapping", "load_mapping"]
