"""Web: the HTML face; it formats and authorises, and decides nothing."""
