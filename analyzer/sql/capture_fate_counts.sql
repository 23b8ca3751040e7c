-- How many records of every hour are there, repeat an event, or are paired? Nothing is joined record by
-- record: what is neither repeated nor paired is the rest.
-- reads   records, duplicates, matches
-- gives   capture_fate_counts(role, hour, inside, kind, pair_inside, records, first_at, last_at), kind
--         being all, duplicate, contradiction (a duplicate that says something else) or paired; inside and pair_inside say whether the record's own time and
--         production's of its pair lie in the window
-- params  $start, $end: the window, half open, UTC
with
sides as (
    select
        'production' as role,
        production_at as captured_at,
        production_at
    from matches
    union all
    select
        'shadow' as role,
        shadow_at as captured_at,
        production_at
    from matches
),

fates as (
    select
        'all' as kind,
        role,
        captured_at,
        false as pair_inside
    from records
    union all
    select
        if(contradicts, 'contradiction', 'duplicate') as kind,
        role,
        captured_at,
        false as pair_inside
    from duplicates
    union all
    select
        'paired' as kind,
        role,
        captured_at,
        production_at >= $start and production_at < $end as pair_inside
    from sides
)

select
    kind,
    role,
    date_trunc('hour', captured_at) as hour,
    captured_at >= $start and captured_at < $end as inside,
    pair_inside,
    count(*) as records,
    min(captured_at) as first_at,
    max(captured_at) as last_at
from fates
group by all;
