"""Programs that engine `fast` must record as `exact` does. A line with the comment `differs` may have another count."""
