-- By how much does each place of the sampled lists differ, and where no one number would do?
-- reads   vector_sample
-- gives   vector_coordinates(place, vectors, change, change_squares, apart, shifted): places from 0;
--         fixed-point sums of shadow - production as text; apart are the lists of which either
--         variant's number lies further from the best single number than a shift, and of these
--         shifted differ by one
-- params  $scale, $square_scale: steps per unit and squared unit
--         $atol, $rtol: a shift is |difference| > $atol + $rtol * |production|
with
numbers as (
    select
        unnest(range(len(production))) as place,
        unnest(production) as production,
        unnest(shadow) as shadow
    from vector_sample
),

reaches as (
    select
        place,
        $atol + $rtol * max(abs(production)) as far
    from numbers
    group by place
),

ends as (
    select
        place,
        production as lowest,
        far,
        count(*) over (
            partition by place
            order by production
            range between current row and 2 * far following
        ) as reached
    from numbers
    inner join reaches using (place)
),

best as (  -- the stretch that the best single number reaches
    select
        place,
        arg_min(lowest, (-reached, lowest)) as lowest,
        any_value(2 * far) as reach
    from ends
    group by place
),

compared as (
    select
        numbers.place,
        shadow - production as change,
        least(production, shadow) < lowest or greatest(production, shadow) > lowest + reach
            as apart,
        abs(shadow - production) > $atol + $rtol * abs(production) as shifted
    from numbers
    inner join best using (place)
)

select
    place,
    count(*) as vectors,
    sum(round(change * $scale)::bigint)::varchar as change,
    sum(round(change * change * $square_scale)::bigint)::varchar as change_squares,
    count(*) filter (where apart) as apart,
    count(*) filter (where apart and shifted) as shifted
from compared
group by place
order by place;
