-- How were the pairs found, and how far apart do they stand?
-- reads   pairing_counts, pair_skews
-- gives   pairing_facts, one row: pairing_counts and the median skew
with
ranked as (
    select
        skew_s,
        sum(pairs) over (order by skew_s) as up_to_here,
        sum(pairs) over () as all_pairs
    from pair_skews
),

medians as (
    select min(skew_s) filter (where 2 * up_to_here >= all_pairs) as median_skew_s
    from ranked
)

select *
from pairing_counts, medians;
