-- What are the sums behind log loss and Brier score? A probability counts as at least 1e-15 away
-- from certainty, so that no loss is infinite.
-- reads   label_predictions
-- gives   one row of whole numbers as text: fixed-point sums, the same whatever the order of rows;
--         outside: predictions that are no probability
-- params  $loss_scale, $loss_square_scale, $brier_scale: steps per unit or squared unit, such that
--         no term exceeds 2^60
with
stated as (
    select
        case when positive then production_score else 1 - production_score end as production,
        case when positive then shadow_score else 1 - shadow_score end as shadow
    from label_predictions
    where positive is not null
),

losses as (
    select
        least(production, shadow) < 0 or greatest(production, shadow) > 1 as outside,
        -ln(least(greatest(production, 1e-15), 1.0)) as production_loss,
        -ln(least(greatest(shadow, 1e-15), 1.0)) as shadow_loss,
        (1 - production) * (1 - production) as production_brier,
        (1 - shadow) * (1 - shadow) as shadow_brier,
        shadow_loss - production_loss as loss_change,
        shadow_brier - production_brier as brier_change
    from stated
),

inside as (
    select * from losses
    where not outside
)

select
    (select count(*) from losses where outside) as outside,
    count(*) as predictions,
    coalesce(sum(round(production_loss * $loss_scale)::bigint), 0)::varchar as production_loss,
    coalesce(sum(round(shadow_loss * $loss_scale)::bigint), 0)::varchar as shadow_loss,
    coalesce(sum(round(loss_change * loss_change * $loss_square_scale)::bigint), 0)::varchar
        as loss_squares,
    coalesce(sum(round(production_brier * $brier_scale)::bigint), 0)::varchar as production_brier,
    coalesce(sum(round(shadow_brier * $brier_scale)::bigint), 0)::varchar as shadow_brier,
    coalesce(sum(round(brier_change * brier_change * $brier_scale)::bigint), 0)::varchar
        as brier_squares
from inside;
