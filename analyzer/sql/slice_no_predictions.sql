-- What do predictions come to where outputs hold none?
-- reads   nothing
-- gives   slice_predictions without a row
select
    null::uuid as pair_id,
    0::bigint as predictions,
    0::bigint as labelled,
    0::bigint as flipped,
    0::bigint as measured,
    0::bigint as shifted,
    0::bigint as large_shifted,
    0::bigint as higher,
    0::bigint as lower
where false;
