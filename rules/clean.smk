"""
Disk space back. Each is a target of its own: snakemake clean_restored

    clean_restored    the restored volumes of cells that are scored
    clean_work        checkpoints of trainings that ended, shards of cells that were joined

Nothing is to do afterwards, and nothing is lost but time: what a later change needs is made again.
What is kept and why is printed. No other run works in the folder meanwhile (run_lock).
"""

CLEANING = {"clean_restored", "clean_work"}


def refuse_cleaning_beside_others():
    """No volume goes while a job of the same run reads it."""
    targets = set(workflow.dag_settings.targets)
    if CLEANING & targets and targets - CLEANING:
        sys.exit(f"refused: {', '.join(sorted(CLEANING))} run alone, not while other jobs do")


localrules:
    clean_restored,
    clean_work,


rule clean_restored:
    """Remove restored volumes that are scored; scores, tables, figures, records, weights stay."""
    log:
        "results/logs/clean_restored.log",
    conda:
        "../envs/core.yaml"
    shell:
        r"""
        python "$HERE"/workflow_scripts/clean.py restored 2>&1 | tee {log:q}
        """


rule clean_work:
    """Remove checkpoints of trainings that ended and what joined cells left; weights stay."""
    log:
        "results/logs/clean_work.log",
    conda:
        "../envs/core.yaml"
    shell:
        r"""
        python "$HERE"/workflow_scripts/clean.py work 2>&1 | tee {log:q}
        """
