-- How many pairs of every hour change their form, or differ in any byte?
-- reads   contract_pairs
-- gives   contract_hours(hour, ...): hours since 1970 by production's time, and counts under the
--         names they have in prediction_counts
select
    epoch_us(captured_at) // 3_600_000_000 as hour,
    count(changed) as judged_pairs,
    count(*) filter (where changed) as changed_pairs,
    count(relabelled) as labelled_pairs,
    count(*) filter (where relabelled) as relabelled_pairs,
    count(*) filter (where not ends_with(code, '-absent')) as answered_pairs,
    count(*) filter (where not ends_with(code, '-absent') and not identical) as mismatched_pairs
from contract_pairs
group by hour
order by hour;
