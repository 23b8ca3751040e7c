-- What did the next batch of binary outputs decode to?
-- reads   decoded_batch, lent
-- gives   rows of prediction_decoded
insert into prediction_decoded
select
    pair_id,
    role,
    text
from decoded_batch;
