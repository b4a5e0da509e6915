"""
Disk space back. Each is a target of its own: snakemake clean_restored

    clean_restored    the restored volumes of cells that are scored
    clean_work        checkpoints of trainings that ended, shards of cells that were joined

Nothing is to do afterwards, and nothing is lost but time: what a later change needs is made again.
What is kept and why is printed. No other run works in the folder meanwhile (run_lock), and no other
job of the same run (refuse_cleaning_beside_others).
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
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("clean_restored"),
        runtime=minutes("clean_restored"),
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
    threads: 1
    resources:
        gpu=0,
        mem_mb=memory("clean_work"),
        runtime=minutes("clean_work"),
    shell:
        r"""
        python "$HERE"/workflow_scripts/clean.py work 2>&1 | tee {log:q}
        """
