-- Over which range do nearly all scores fall? (for drawing, never for judging)
-- reads   predictions
-- gives   one row (lower, upper)
select
    least(
        quantile_disc(production_score, 0.001),
        quantile_disc(shadow_score, 0.001)
    ) as lower,
    greatest(
        quantile_disc(production_score, 0.999),
        quantile_disc(shadow_score, 0.999)
    ) as upper
from predictions
where code = 'same'
    and production_score is not null;
