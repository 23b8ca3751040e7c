-- How many differences lie in each fine bucket?
-- reads   difference_cells
-- gives   difference_counts(bucket, predictions), smallest first, no difference before all others
select
    bucket,
    predictions
from difference_cells
order by bucket nulls first;
