# Sourced by the shell of every job: what a job that could not speak for itself died of, in one line
# on the terminal. A job killed from outside has no last word, and on a full disk no log to say it in.
said_at_the_end() {
    case $? in
        137) echo "killed: the system or a person stopped this job (kill -9), most often because it" \
            "needed more memory than there is; raise the method's train_mem_mb or restore_mem_mb, or" \
            "run fewer jobs at once (--cores), then run the same command again" >&2 ;;
        74) echo "refused: the disk under results cannot be written (full, read-only or failing):" \
            "mend that, then run the same command again" >&2 ;;
    esac
}
trap said_at_the_end EXIT
