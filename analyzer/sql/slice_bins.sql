-- Which bin of each slice is a pair in? Ranges reach from above one cut up to the next, included.
-- reads   slice_values
-- gives   slice_bins(pair_id, input_key, slice, kind, value, lower, upper): kind is "value" (with its
--         value), "range" (with its ends, null where open), "other" (less frequent values),
--         "not-a-number", or a fate other than value
-- params  $ranges: slices in ranges; $cut_slices, $cuts: where they are cut; $frequent_slices,
--         $frequent: values with bins of their own
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

cut as (
    select
        unnest($cut_slices::varchar[]) as slice,
        unnest($cuts::double[]) as cut
),

cuts as (
    select
        slice,
        list_sort(list_distinct(list(cut))) as cuts
    from cut
    group by slice
),

frequent as (
    select
        unnest($frequent_slices::varchar[]) as slice,
        unnest($frequent::varchar[]) as "value"
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
