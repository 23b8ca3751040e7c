-- What do the bins of all slices hold, in one order?
-- reads   slice_sums
-- gives   slice_counts, one row a bin
select
    * replace (
        judged_squares::hugeint::double as judged_squares,
        prediction_squares::hugeint::double as prediction_squares
    )
from slice_sums
order by
    slice,
    kind,
    "value",
    range_lower nulls first,
    range_upper nulls last;
