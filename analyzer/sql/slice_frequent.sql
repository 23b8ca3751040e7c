-- Which values of a slice have a bin of their own? Hours all have one.
-- reads   slice_frequencies
-- gives   slice_frequent(slice, value)
-- params  $most: values of one slice that have
select
    slice,
    "value"
from slice_frequencies
qualify
    slice = 'hour'
    or row_number() over (partition by slice order by pairs desc, "value") <= $most;
