"""What lets the same command go on after any fault: locks, and what is done before a run plans.

    run_lock      one driver per results folder
    run_memory    results without Snakemake's memory of them are refused
    left_behind   Slurm jobs of a driver that was killed: cancelled, or waited for
    orphaned      what its jobs finished after it: put aside until they are asked for
    torn          results that are not what their records say: taken for not made
    clock         results from the future: their times are brought to now
    settling      all of it, in order

Standard library only.
"""
