INSERT INTO epochs (
    epoch, starts_at, ends_at, claim_until, measurers, phase, class, weight, reward, submit_at, relayer, max_fee,
    proof, payout, proving_ms, rebinds, amount, fee, signature, compute_units, reason
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (epoch) DO UPDATE SET
    starts_at = excluded.starts_at, ends_at = excluded.ends_at, claim_until = excluded.claim_until,
    measurers = excluded.measurers, phase = excluded.phase, class = excluded.class, weight = excluded.weight,
    reward = excluded.reward, submit_at = excluded.submit_at, relayer = excluded.relayer,
    max_fee = excluded.max_fee, proof = excluded.proof, payout = excluded.payout,
    proving_ms = excluded.proving_ms, rebinds = excluded.rebinds, amount = excluded.amount, fee = excluded.fee,
    signature = excluded.signature, compute_units = excluded.compute_units, reason = excluded.reason
