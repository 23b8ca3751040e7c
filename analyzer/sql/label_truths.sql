-- Of how many predictions is each label the right one, and how often is it given?
-- reads   label_predictions
-- gives   label_truths(label, predictions, given, production_given), one row a label that is right or
--         given; a score gives no label by name, but production's is on the side it is on
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
        0 as answers,
        0 as production_answers
    from usable
    union all
    select
        unnest([production_label, shadow_label]) as label,
        0 as truths,
        1 as answers,
        unnest([1, 0]) as production_answers
    from usable
    union all
    select
        (production_right = positive)::varchar as label,
        0 as truths,
        0 as answers,
        1 as production_answers
    from usable
)

select
    label,
    sum(truths)::bigint as predictions,
    sum(answers)::bigint as given,
    sum(production_answers)::bigint as production_given
from labels
where label is not null
group by label;
