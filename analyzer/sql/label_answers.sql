-- Do predictions with a label flip as often as those without one?
-- reads   predictions, label_predictions
-- gives   label_answers: predictions by production's answer, with and without a label, and flips
-- params  $label_at: decision threshold, null where there is none
with
labelled as (
    select distinct pair_id
    from label_predictions
),

answers as (
    select
        coalesce(production_label, (production_score >= $label_at)::varchar) as answer,
        labelled.pair_id is not null as is_labelled,
        flipped
    from predictions
    left join labelled using (pair_id)
    where code = 'same'
        and flipped is not null
)

select
    answer,
    count(*) filter (is_labelled) as labelled,
    count(*) filter (is_labelled and flipped) as labelled_flips,
    count(*) filter (not is_labelled) as unlabelled,
    count(*) filter (not is_labelled and flipped) as unlabelled_flips
from answers
group by answer;
