-- What did the next batch of binary outputs decode to?
-- reads   decoded_batch, lent
-- gives   rows of prediction_decoded
select
    pair_id::uuid as pair_id,
    role,
    text
from decoded_batch;
