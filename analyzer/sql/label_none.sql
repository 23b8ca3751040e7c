-- Which labels were read before any file was?
-- reads   nothing
-- gives   no row of label_lines yet
select
    null::uuid as label_id,
    null::varchar[] as truth,
    null::varchar as code
where false;
