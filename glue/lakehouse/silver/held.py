"""What keeps a table from being published, while the others go on."""


class HeldError(Exception):
    """The table stays at its last published state; the message says why and what to do."""
