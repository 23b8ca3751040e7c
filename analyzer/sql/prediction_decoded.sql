-- question: what did outputs decode to that only code outside the database can read?
-- gives:    prediction_decoded, empty
create or replace temp table prediction_decoded (
    pair_id bigint,
    role varchar,
    text varchar
);
