"""The order of change events: (epoch, commit_lsn, phase, lsn, tx_order), docs/architecture.md, Position."""

FIELDS = ("epoch", "commit_lsn", "phase", "lsn", "tx_order")


def of_row(alias: str) -> str:
    """The position struct of a silver row (its `_` columns) as a Spark SQL expression that compares in order."""
    a = alias + "." if alias else ""
    return (
        f"named_struct('epoch', {a}_epoch, 'commit_lsn', {a}_commit_lsn, "
        f"'phase', IF({a}_tx_order > 0, 1, 0), 'lsn', {a}_lsn, 'tx_order', {a}_tx_order)"
    )
