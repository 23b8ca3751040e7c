-- Which label became which, as far as labels may be named?
-- reads   flip_counts
-- gives   the 200 most frequent label pairs, equal labels included; labels without a name are one, and
--         another where the shadow gives a different one of them
-- params  $named: labels that are named, null for all; $rare, $another: what the others are called
with named as (
    select
        case
            when $named::varchar[] is null or list_contains($named::varchar[], production_label)
                then production_label
            else $rare
        end as production_label,
        case
            when $named::varchar[] is null or list_contains($named::varchar[], shadow_label)
                then shadow_label
            when list_contains($named::varchar[], production_label)
                or production_label = shadow_label then $rare
            else $another
        end as shadow_label,
        predictions
    from flip_counts
)

select
    production_label,
    shadow_label,
    sum(predictions)::bigint as predictions
from named
group by production_label, shadow_label
order by sum(predictions) desc, production_label, shadow_label
limit 200;
