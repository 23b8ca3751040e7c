-- Which bin of each slice is a pair in? Cut points are order statistics of production's inputs, which
-- no order of rows changes; ranges reach from above one cut up to the next, included.
-- reads   slice_values
-- gives   slice_bins(pair_id, input_key, slice, kind, value, lower, upper): kind is "value" (with its
--         value), "range" (with its ends, null where open), "other" (less frequent values),
--         "not-a-number", or a fate other than value
-- params  $ranges: slices in ranges; $fifths: where they are cut; $most: values with bins of their own
with
numbered as (
    select
        *,
        list_contains($ranges::varchar[], slice) as in_ranges,
        case when list_contains($ranges::varchar[], slice) and fate = 'value'
            then try_cast("value" as double)
        end as number
    from slice_values
),

cuts as (
    select
        slice,
        list_sort(list_distinct(quantile_disc(number, $fifths))) as cuts
    from numbered
    where isfinite(number)
    group by slice
),

frequent as (
    select
        slice,
        "value"
    from numbered
    where fate = 'value' and not in_ranges
    group by
        slice,
        "value"
    qualify
        slice = 'hour'
        or row_number() over (partition by slice order by count(*) desc, "value") <= $most
),

placed as (
    select
        numbered.pair_id,
        numbered.input_key,
        numbered.slice,
        case
            when fate <> 'value' then fate
            when in_ranges then if(isfinite(number), 'range', 'not-a-number')
            when frequent."value" is null then 'other'
            else 'value'
        end as kind,
        frequent."value",
        cuts.cuts,
        len(list_filter(cuts.cuts, lambda cut: cut < number)) as below
    from numbered
    left join cuts using (slice)
    left join frequent
        on frequent.slice = numbered.slice
        and frequent."value" = numbered."value"
        and not in_ranges
),

slice_bins as (
    select
        pair_id,
        input_key,
        slice,
        coalesce(kind, 'not-a-number') as kind,
        if(kind = 'value', "value", null) as "value",
        case when kind = 'range' then cuts[below] end as lower,
        case when kind = 'range' then cuts[below + 1] end as upper
    from placed
)

select * from slice_bins;
