-- Of how many predictions is each label the right one, how often does each variant give it, and how
-- often is it right with it?
-- reads   label_predictions
-- gives   label_truths(label, predictions, production_given, shadow_given, production_right,
--         shadow_right), one row a label that is right or given; a score gives the side it is on
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
        0 as production_answers,
        0 as shadow_answers,
        production_right::integer as production_hits,
        shadow_right::integer as shadow_hits
    from usable
    union all
    select
        unnest([
            coalesce((production_right = positive)::varchar, production_label),
            coalesce((shadow_right = positive)::varchar, shadow_label)
        ]) as label,
        0 as truths,
        unnest([1, 0]) as production_answers,
        unnest([0, 1]) as shadow_answers,
        0 as production_hits,
        0 as shadow_hits
    from usable
)

select
    label,
    sum(truths)::bigint as predictions,
    sum(production_answers)::bigint as production_given,
    sum(shadow_answers)::bigint as shadow_given,
    sum(production_hits)::bigint as production_right,
    sum(shadow_hits)::bigint as shadow_right
from labels
where label is not null
group by label;
