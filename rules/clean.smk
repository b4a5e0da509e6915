"""
Freeing disk space. Each is a target of its own: snakemake clean_restored

    clean_restored    the restored volumes of cells that are scored
    clean_work        checkpoints of trainings that ended, shards of cells that were joined

Nothing is out of date afterwards, and only time is lost: what a later change needs is made again.
What is kept, and why, is printed. No other run works in the folder meanwhile (recovery/run_lock), and
no other job of the same run (checks.check_cleaning).

Here and in train, whose progress a person watches, output goes to the terminal and the log
(2>&1 | tee); that of all other rules goes to the log alone (&>) and is shown if a job fails.
"""


localrules:
    clean_restored,
    clean_work,


rule clean_restored:
    """Remove restored volumes that are scored; scores, tables, figures, records, weights stay."""
    log:
        "results/logs/clean_restored.log",
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("clean_restored"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/clean.py restored 2>&1 | tee {log:q}
        """


rule clean_work:
    """Remove checkpoints of trainings that ended and what joined cells left; weights stay."""
    log:
        "results/logs/clean_work.log",
    conda:
        "../envs/thinslice.yaml"
    resources:
        **reserve("clean_work"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/clean.py work 2>&1 | tee {log:q}
        """
