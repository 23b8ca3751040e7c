-- How many predictions have either variant's most frequent label?
-- reads   predictions
-- gives   one row (commonest_label of production, shadow_commonest_label)
with
labels as (
    select
        production_label,
        shadow_label
    from predictions
    where code = 'same'
        and production_label is not null
),

production_labels as (
    select count(*) as predictions
    from labels
    group by production_label
),

shadow_labels as (
    select count(*) as predictions
    from labels
    group by shadow_label
)

select
    (select coalesce(max(predictions), 0)::bigint from production_labels) as commonest_label,
    (select coalesce(max(predictions), 0)::bigint from shadow_labels) as shadow_commonest_label;
