-- What became of the labels, and how many pairs have one?
-- reads   labels, label_pairs
-- gives   one row of counts: lines that repeat a label, IDs, pairs
with
met as (
    select label_id
    from label_pairs
    group by label_id
),

ids as (
    select
        count(*) as ids,
        coalesce(sum(lines - 1) filter (where truth is not null), 0)::bigint as repeated,
        count(*) filter (where truth is null) as conflicts,
        coalesce(sum(lines) filter (where truth is null), 0)::bigint as conflict_lines,
        count(met.label_id) filter (where truth is not null) as matched,
        count(*) filter (where truth is not null and met.label_id is null) as unmatched
    from labels
    left join met using (label_id)
),

named as (
    select
        count(*) filter (where truth is not null and not ambiguous) as labelled_pairs,
        count(*) filter (where truth is not null and ambiguous) as ambiguous_pairs,
        count(*) filter (where truth is null) as conflict_pairs
    from label_pairs
)

select
    ids.*,
    named.*
from ids, named;
