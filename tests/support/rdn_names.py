"""Names of RDN's trunk: those of the public PyTorch version, and ours."""

TRUNK = (
    (r"SFENet1", "first"),
    (r"SFENet2", "second"),
    (r"RDBs\.(\d+)\.convs\.(\d+)\.conv\.0", r"blocks.\1.layers.\2"),
    (r"RDBs\.(\d+)\.LFF", r"blocks.\1.fuse"),
    (r"GFF\.(\d)", r"fuse.\1"),
)
