-- Over which range do nearly all scores fall? (for drawing, never for judging)
-- reads   score_cells
-- gives   one row (lower, upper): ends of buckets below and above which lies a thousandth of a variant's
--         scores
-- params  $centre, $spread: as in score_cells; $lowest, $highest: of all scores
with
sides as (
    select
        'production' as role,
        production_bucket as bucket,
        predictions
    from score_cells
    union all
    select
        'shadow' as role,
        shadow_bucket as bucket,
        predictions
    from score_cells
),

buckets as (
    select
        role,
        bucket,
        sum(predictions) as predictions
    from sides
    group by role, bucket
),

ranked as (
    select
        role,
        bucket,
        sum(predictions) over (partition by role order by bucket) as up_to_here,
        sum(predictions) over (partition by role) as all_predictions
    from buckets
),

ends as (
    select
        min(bucket) filter (where 1000 * up_to_here >= all_predictions) as first,
        min(bucket) filter (where 1000 * up_to_here >= 999 * all_predictions) as last
    from ranked
    group by role
)

select
    greatest($lowest, $centre + $spread * sinh(min(first) / 64)) as lower,
    least($highest, $centre + $spread * sinh((max(last) + 1) / 64)) as upper
from ends;
