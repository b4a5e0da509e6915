# Sourced by the shell of every job (engine.shell_prefix): one line on the terminal for a job that
# cannot print its own, because it was killed or because the disk with its log is full.
report_exit() {
    case $? in
        137) echo "killed: the system or a person stopped this job (kill -9), most often because it" \
            "needed more memory than there is; raise the method's train_mem_mb or restore_mem_mb, or" \
            "run fewer jobs at once (--cores), then run the same command again" >&2 ;;
        74) echo "refused: the disk under results cannot be written (full, read-only or failing):" \
            "mend that, then run the same command again" >&2 ;;
    esac
}
trap report_exit EXIT
