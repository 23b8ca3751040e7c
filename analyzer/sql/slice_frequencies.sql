-- How many pairs have each value of the slices that are not cut into ranges?
-- reads   slice_values
-- gives   slice_frequencies(slice, value, pairs)
-- params  $ranges: slices in ranges
select
    slice,
    "value",
    count(*) as pairs
from slice_values
where fate = 'value' and not list_contains($ranges::varchar[], slice)
group by
    slice,
    "value";
