-- Does the shadow's list follow production's place by place, or a step late or early? Compared are
-- the places between the first and the last, which have one before and one after. Another level of
-- a rising list is nearer to its neighbours, too, and another bend correlates more with them: it
-- takes both.
-- reads   vector_sample
-- gives   one row: sequences, lists in whose inner places the shadow's numbers differ; late and
--         early, those that are nearer to what production has a place before, or after, than to
--         what it has there, and correlate more with it; sequence_squares is the sum of squared
--         counts per distinct input
-- params  $least: numbers of a list; $tie: correlations that differ by less are alike
with
windows as (
    select
        pair_id,
        input_key,
        shadow[2:-2] as answered,
        production[2:-2] as in_place,
        production[:-3] as before,
        production[3:] as after,
        list_distance(answered, in_place) as apart,
        list_distance(answered, before) < apart as nearer_before,
        list_distance(answered, after) < apart as nearer_after
    from vector_sample
    where len(production) >= $least
),

spread as (
    select
        *,
        list_avg(answered) as mean,
        len(answered) * list_stddev_pop(answered) as scale
    from windows
    where list_min(answered) < list_max(answered)
),

centred as (
    select
        * replace (list_transform(answered, lambda number: number - mean) as answered)
    from spread
),

correlated as (
    select
        pair_id,
        input_key,
        nearer_before,
        nearer_after,
        case when list_min(in_place) < list_max(in_place)
            then list_inner_product(answered, in_place) / scale / list_stddev_pop(in_place)
            else 0
        end as in_place,
        case when list_min(before) < list_max(before)
            then list_inner_product(answered, before) / scale / list_stddev_pop(before)
            else 0
        end as before,
        case when list_min(after) < list_max(after)
            then list_inner_product(answered, after) / scale / list_stddev_pop(after)
            else 0
        end as after
    from centred
),

inputs as (
    select count(*) as sequences
    from correlated
    group by
        input_key,
        case when input_key is null then pair_id end
)

select
    count(*) as sequences,
    count(*) filter (where nearer_before and before > in_place + $tie and before > after) as late,
    count(*) filter (where nearer_after and after > in_place + $tie and after > before) as early,
    (select coalesce(sum(sequences * sequences), 0) from inputs)::bigint as sequence_squares
from correlated;
