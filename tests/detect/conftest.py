"""What the tests of detect share: a PostgreSQL database where one can be had."""

from tests.fixtures_postgres import postgres_cluster, postgres_database

__all__ = ["postgres_cluster", "postgres_database"]
