-- How many pairs lie in each piece of these stretches of numbers? The bits of a number from the first
-- on, with negative ones turned over, are in the order of numbers, so that numbers that share their
-- first bits are neighbours: whatever the numbers are, four questions find any order statistic.
-- reads   slice_values
-- gives   slice_stretches(stretch, piece, lowest, highest, pairs); stretch counts from 1
-- params  $slices, $lowest, $highest: a stretch each, ends included; $shifts: bits of which the
--         pieces of the stretch are blind
with
stretches as (
    select
        generate_subscripts($slices::varchar[], 1) as stretch,
        unnest($slices::varchar[]) as slice,
        unnest($lowest::double[]) as first_number,
        unnest($highest::double[]) as last_number,
        unnest($shifts::bigint[]) as shift
),

numbers as (
    select
        slice,
        try_cast("value" as double) + 0.0::double as number,  -- no negative zero
        number::bit::ubigint as bits
    from slice_values
    where fate = 'value'
),

placed as (
    select
        stretch,
        if(number < 0, ~bits, bits | (1::ubigint << 63)) >> shift::ubigint as piece,
        number
    from numbers
    inner join stretches using (slice)
    where isfinite(number)
        and number between first_number and last_number
)

select
    stretch,
    piece,
    min(number) as lowest,
    max(number) as highest,
    count(*) as pairs
from placed
group by
    stretch,
    piece;
