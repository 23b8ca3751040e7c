-- Which predictions have a label that can say who is right, and who is?
-- reads   predictions, label_predictions
-- gives   label_answers: predictions by production's answer, whether the shadow's flips it, and the
--         truth; of those that flip and have a label also by who is right
-- params  $label_at: decision threshold, null where there is none
with answers as (
    select
        coalesce(
            label_text(predictions.production_label),
            (predictions.production_score >= $label_at)::varchar
        ) as answer,
        predictions.flipped,
        label_predictions.production_right is not null as has_label,
        coalesce(label_predictions.positive::varchar, label_predictions.truth) as truth,
        predictions.flipped and label_predictions.production_right as production_right,
        predictions.flipped and label_predictions.shadow_right as shadow_right
    from predictions
    left join label_predictions using (pair_id, row_index)
    where predictions.code = 'same'
        and predictions.flipped is not null
)

select
    answer,
    flipped,
    has_label,
    truth,
    production_right,
    shadow_right,
    count(*) as predictions
from answers
group by all;
