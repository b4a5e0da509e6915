"""Parts of the page: each module writes one part as HTML text and fetches nothing."""
