-- What did outputs decode to that only code outside the database can read?
-- reads   nothing
-- gives   prediction_decoded, empty
create or replace temp table prediction_decoded (
    pair_id bigint,
    role varchar,
    text varchar
);
