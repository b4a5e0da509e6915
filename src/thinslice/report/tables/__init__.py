"""Tables for people: what is printed, and how it is typeset."""
