-- How many pairs, flips, shifts and changed answers does each bin of each slice hold?
-- reads   slice_bins, slice_predictions, contract_pairs, repeated_inputs
-- gives   slice_sums, one row a bin; *_squares are sums of squared counts per distinct input of the
--         bin, as text, which say how many independent outcomes the bin is worth
with
counted as (
    select
        slice_bins.slice,
        slice_bins.kind,
        slice_bins."value",
        slice_bins.lower as range_lower,
        slice_bins.upper as range_upper,
        -- an input that no other pair has is its own cluster
        if(repeated_inputs.input_key is null, null, slice_bins.input_key) as cluster,
        contract_pairs.changed is not null as judged,
        coalesce(contract_pairs.changed, false) as changed,
        coalesce(predictions, 0) as predictions,
        coalesce(labelled, 0) as labelled,
        coalesce(flipped, 0) as flipped,
        coalesce(measured, 0) as measured,
        coalesce(shifted, 0) as shifted,
        coalesce(large_shifted, 0) as large_shifted,
        coalesce(higher, 0) as higher,
        coalesce(slice_predictions.lower, 0) as lower
    from slice_bins
    inner join contract_pairs using (pair_id)
    left join slice_predictions using (pair_id)
    left join repeated_inputs on repeated_inputs.input_key = slice_bins.input_key
),

totals as (
    select
        slice,
        kind,
        "value",
        range_lower,
        range_upper,
        count(*) as pairs,
        count(*) filter (where judged) as judged_pairs,
        count(*) filter (where changed) as changed_pairs,
        sum(predictions)::bigint as predictions,
        sum(labelled)::bigint as labelled,
        sum(flipped)::bigint as flipped,
        sum(measured)::bigint as measured,
        sum(shifted)::bigint as shifted,
        sum(large_shifted)::bigint as large_shifted,
        sum(higher)::bigint as higher,
        sum(lower)::bigint as lower,
        count(*) filter (where judged and cluster is null) as alone_judged_squares,
        coalesce(sum(predictions * predictions) filter (where cluster is null), 0)::hugeint
            as alone_prediction_squares
    from counted
    group by all
),

clusters as (
    select
        slice,
        kind,
        "value",
        range_lower,
        range_upper,
        count(*) filter (where judged)::hugeint as judged,
        sum(predictions)::hugeint as predictions
    from counted
    where cluster is not null
    group by
        slice,
        kind,
        "value",
        range_lower,
        range_upper,
        cluster
),

shared as (
    select
        slice,
        kind,
        "value",
        range_lower,
        range_upper,
        sum(judged * judged) as judged_squares,
        sum(predictions * predictions) as prediction_squares
    from clusters
    group by all
),

slice_sums as (
    select
        totals.* exclude (alone_judged_squares, alone_prediction_squares),
        (alone_judged_squares + coalesce(judged_squares, 0))::varchar as judged_squares,
        (alone_prediction_squares + coalesce(prediction_squares, 0))::varchar
            as prediction_squares
    from totals
    left join shared
        on shared.slice = totals.slice
        and shared.kind = totals.kind
        and shared."value" is not distinct from totals."value"
        and shared.range_lower is not distinct from totals.range_lower
        and shared.range_upper is not distinct from totals.range_upper
)

select * from slice_sums;
