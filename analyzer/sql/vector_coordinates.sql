-- By how much does each place of the sampled lists differ?
-- reads   vector_sample
-- gives   vector_coordinates(place, vectors, change, change_squares): places from 0; fixed-point sums
--         of shadow - production as text
-- params  $scale, $square_scale: steps per unit and squared unit
with changes as (
    select
        unnest(range(len(production))) as place,
        unnest(list_transform(
            list_zip(production, shadow),
            lambda pair: pair[2] - pair[1]
        )) as change
    from vector_sample
)

select
    place,
    count(*) as vectors,
    sum(round(change * $scale)::bigint)::varchar as change,
    sum(round(change * change * $square_scale)::bigint)::varchar as change_squares
from changes
group by place
order by place;
