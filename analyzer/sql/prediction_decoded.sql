-- What did outputs decode to that only code outside the database can read?
-- reads   nothing
-- gives   no row of prediction_decoded yet
select
    null::uuid as pair_id,
    null::varchar as role,
    null::varchar as text
where false;
