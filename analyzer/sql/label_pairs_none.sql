-- What do labels name among pairs that none was found for?
-- reads   nothing
-- gives   no row of label_pairs
select
    null::uuid as pair_id,
    null::ubigint as input_key,
    null::uuid as label_id,
    null::varchar[] as truth,
    null::boolean as ambiguous
where false;
