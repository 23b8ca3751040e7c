-- How often did which label become which?
-- reads   predictions
-- gives   flip_counts(production_label, shadow_label, predictions), equal labels included
-- params  $label_at: decision threshold, null where there is none; $below, $above: names of the
--         two sides of the threshold, for scores
with
labels as (
    select
        case
            when production_label is not null then left(production_label, 64)
            when production_score >= $label_at then $above
            else $below
        end as production_label,
        case
            when shadow_label is not null then left(shadow_label, 64)
            when shadow_score >= $label_at then $above
            else $below
        end as shadow_label
    from predictions
    where code = 'same'
        and flipped is not null
)

select
    production_label,
    shadow_label,
    count(*) as predictions
from labels
group by production_label, shadow_label;
