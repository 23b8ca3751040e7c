-- How often does either variant give each label?
-- reads   predictions
-- gives   prediction_label_counts(role, label, predictions)
with sides as (
    select
        unnest(['production', 'shadow']) as role,
        unnest([production_label, shadow_label]) as label
    from predictions
    where code = 'same'
        and production_label is not null
)

select
    role,
    label,
    count(*) as predictions
from sides
group by role, label;
