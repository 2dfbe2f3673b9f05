"""API: the REST face under ``/api/v1``; it formats and authorises, and decides nothing."""
