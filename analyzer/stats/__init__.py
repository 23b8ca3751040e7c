"""Arrays in, estimates and intervals out: the statistics this project exists for.

`ewc` says how uncertain the mean of an autocorrelated series is, `boundary` how many standard
errors to step when a result may be read at any time, `log_ratio` and `error_counts` put the two
together for latency and for error rates. `proportions` holds the score intervals for independent
and paired shares, `proportion_sequence` the share of pairs that may be watched while it grows,
`paired_accuracy` the difference of two such shares, `ranking` and `calibration` what labels say of
scores, `effective` what repeated inputs leave of a sample. Only numpy and scipy; no files, no
policy, no words for the reader. What scipy has is called, what it lacks is written here with its
source.
"""
