-- Of how many predictions is each label the right one, and how often is it given?
-- reads   label_predictions
-- gives   label_truths(label, predictions, given), one row a label that is right or given
with
usable as (
    select *
    from label_predictions
    where production_right is not null
),

labels as (
    select
        coalesce(positive::varchar, truth) as label,
        1 as truths,
        0 as answers
    from usable
    union all
    select
        unnest([production_label, shadow_label]) as label,
        0 as truths,
        1 as answers
    from usable
)

select
    label,
    sum(truths)::bigint as predictions,
    sum(answers)::bigint as given
from labels
where label is not null
group by label;
