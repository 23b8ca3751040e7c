-- To how many requests that production scores far from it does the shadow give one same score?
-- reads   score_cells
-- gives   one row, or none: default_score, the score given to most such requests; of requests that
--         production scores far above and far below it, default_above and default_below, to how many
--         it is given: default_above_given and default_below_given; default_given, to how many in
--         all; default_production, to how many that the shadow scores far from it production gives it
-- params  $far: a large shift
with
one_score as (
    select
        lowest as default_score,
        coalesce(sum(predictions) filter (where production_lowest > lowest + $far), 0)::bigint
            as default_above_given,
        coalesce(sum(predictions) filter (where production_highest < lowest - $far), 0)::bigint
            as default_below_given,
        sum(predictions)::bigint as default_given
    from score_cells
    where lowest = highest
    group by lowest
    order by default_above_given + default_below_given desc, default_score
    limit 1
),

placed as (
    select
        *,
        production_lowest > default_score + $far as is_above,
        production_highest < default_score - $far as is_below,
        production_lowest = default_score
            and production_highest = default_score
            and (lowest > default_score + $far or highest < default_score - $far) as is_reversed
    from one_score, score_cells
)

select
    default_score,
    default_above_given,
    default_below_given,
    default_given,
    coalesce(sum(predictions) filter (where is_above), 0)::bigint as default_above,
    coalesce(sum(predictions) filter (where is_below), 0)::bigint as default_below,
    coalesce(sum(predictions) filter (where is_reversed), 0)::bigint as default_production
from placed
group by default_score, default_above_given, default_below_given, default_given;
