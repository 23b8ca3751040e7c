-- In which bin of each slice are the most divergent pairs?
-- reads   slice_bins
-- gives   one row a pair and slice: its rank, and the bin as slice_counts has it
-- params  $pair_ids: these pairs, the most divergent first
select
    list_position($pair_ids::varchar[], pair_id::varchar)::bigint as rank,
    slice,
    kind,
    "value",
    lower as range_lower,
    upper as range_upper
from slice_bins
where pair_id::varchar in (select unnest($pair_ids::varchar[]))
order by slice, rank;
