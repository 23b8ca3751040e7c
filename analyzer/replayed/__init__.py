"""What a replay left beside its captures: `sidecar` is the form, `outcomes` what it says."""
