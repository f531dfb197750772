//! The registry's leaves, rebuilt from the accounts of all operators.
//!
//! ```text
//! leaf[i] = commitment of the operator that stood at i, or 0 where nobody stood     for i < leaf_count
//! ```
//! Nobody stands where an operator has left; its account may be closed by then.

use veilpool_interface::{Epoch, Operator, Pool};
use veilpool_protocol::{CommitmentBytes, FieldBytes, registry::CAPACITY};

use super::ReadError;

/// The leaves that an epoch froze.
///
/// # Errors
/// [`ReadError::IncompleteRegistry`] when there aren't exactly as many operators as the epoch has.
pub fn frozen_leaves(
    operators: &[Operator],
    epoch: &Epoch,
) -> Result<Vec<CommitmentBytes>, ReadError> {
    let stood = |operator: &&Operator| operator.is_in(epoch.number, epoch.leaf_count);
    arrange(
        operators.iter().filter(stood),
        epoch.leaf_count,
        epoch.operators,
    )
}

/// The leaves of a pool's present registry, which lead to its present root.
///
/// # Errors
/// [`ReadError::IncompleteRegistry`] when there aren't exactly as many operators as the pool has.
pub fn present_leaves(
    operators: &[Operator],
    pool: &Pool,
) -> Result<Vec<CommitmentBytes>, ReadError> {
    let leaf_count = pool.registry.leaf_count;
    let stands = |operator: &&Operator| operator.exit.is_none() && operator.leaf_index < leaf_count;
    arrange(
        operators.iter().filter(stands),
        leaf_count,
        pool.books.operators,
    )
}

fn arrange<'a>(
    operators: impl Iterator<Item = &'a Operator>,
    leaf_count: u32,
    expected: u32,
) -> Result<Vec<CommitmentBytes>, ReadError> {
    // An answer decides about memory only within the registry's bounds.
    if leaf_count > CAPACITY {
        return Err(ReadError::IncompleteRegistry { found: 0, expected });
    }
    let empty = CommitmentBytes::from_field(FieldBytes::ZERO);
    let mut leaves = vec![empty; leaf_count as usize];
    for operator in operators {
        if let Some(leaf) = leaves.get_mut(operator.leaf_index as usize) {
            *leaf = operator.commitment;
        }
    }
    let found = leaves.iter().filter(|leaf| **leaf != empty).count();
    if found != expected as usize {
        return Err(ReadError::IncompleteRegistry { found, expected });
    }
    Ok(leaves)
}
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use veilpool_interface::{
        Books, Deadline, Exit, Parameters, Registry, Rules, class::default_table,
        registry::RegistryPath,
    };
    use veilpool_primitives::RegistryTree;
    use veilpool_protocol::{AddressBytes, EpochId, SetHashBytes};

    use super::*;

    const POOL: AddressBytes = AddressBytes::new([1; 32]);

    fn operator(index: u32) -> Operator {
        Operator {
            bump: 1,
            pool: POOL,
            commitment: CommitmentBytes::from_field(FieldBytes::from_u128(u128::from(index) + 1)),
            leaf_index: index,
            bond: 1,
            bonder: AddressBytes::new([2; 32]),
            exit: None,
        }
    }

    fn epoch(number: u32, registry: &Registry, operators: u32) -> Epoch {
        Epoch {
            bump: 1,
            pool: POOL,
            number: EpochId::new(number),
            starts_at: 0,
            ends_at: 1,
            claim_until: 2,
            paused_before: 0,
            registry_root: registry.root,
            leaf_count: registry.leaf_count,
            operators,
            set_hash: SetHashBytes::from_field(FieldBytes::ZERO),
            measurers: 3,
            verifying_key: [3; 32],
            rate: 1,
            budget: 1,
            reserved: 1,
            claims: 0,
            rent_payer: AddressBytes::new([4; 32]),
            classes: default_table(),
        }
    }

    fn pool(registry: &Registry, operators: u32) -> Pool {
        let address = |byte| AddressBytes::new([byte; 32]);
        Pool {
            rules: Rules {
                bump: 1,
                founder: address(5),
                mint: address(6),
                vault: address(7),
                bond_vault: address(8),
                escrow_vault: address(9),
                share_mint: address(10),
                genesis_hash: [0; 32],
                domain: veilpool_protocol::DomainBytes::from_field(FieldBytes::ZERO),
                timelock_seconds: 1,
                authority: address(5),
                next_authority: address(0),
                set_hash: SetHashBytes::from_field(FieldBytes::ZERO),
                verifying_key: [3; 32],
                parameters: Parameters {
                    bond_amount: 1,
                    epoch_seconds: 1,
                    claim_window_seconds: 1,
                    cooldown_seconds: 2,
                    challenge_seconds: 1,
                    rate_cap: 1,
                    outflow_bps: 1,
                    hub_fee_cap_bps: 0,
                    slash_reward_bps: 0,
                    target_utilisation_bps: 1,
                    min_price: 1,
                    max_price: 1,
                },
            },
            books: Books {
                assets: 0,
                reserved: 0,
                shares: 0,
                queued: 0,
                bonded: 0,
                escrowed: 0,
                operators,
                next_epoch: EpochId::new(2),
                latest_ends_at: 0,
                last_window: 0,
                price: 1,
                settled: 0,
                attested: 0,
                next_channel: 0,
                paused_until: 0,
                paused_seconds: 0,
                frozen: false,
                frozen_at: 0,
            },
            measurers: Vec::new(),
            classes: default_table(),
            registry: registry.clone(),
        }
    }

    /// As `ExitOperator` does, with a path made from all leaves.
    fn exit(
        registry: &mut Registry,
        operator: &mut Operator,
        leaves: &[CommitmentBytes],
        next: u32,
    ) {
        let tree = RegistryTree::from_leaves(leaves.iter().copied()).unwrap();
        let path = tree.path(operator.leaf_index).unwrap();
        let path = RegistryPath::new(&path.siblings_to_bytes());
        registry
            .remove(operator.leaf_index, &operator.commitment, &path)
            .unwrap();
        operator.exit = Some(Exit {
            epoch: EpochId::new(next),
            release: Deadline {
                at: 9,
                paused_before: 0,
            },
        });
    }

    #[test]
    fn leaves_lead_to_the_root_of_their_epoch_whoever_has_left_or_come_since() {
        let mut registry = Registry::empty().unwrap();
        let mut operators: Vec<Operator> = (0..6).map(operator).collect();
        for operator in &operators {
            registry.append(&operator.commitment).unwrap();
        }
        let first = epoch(0, &registry, 6);

        // Two leave after epoch 0 opened, one comes.
        for (index, present) in [(4, 6), (1, 5)] {
            let leaves = present_leaves(&operators, &pool(&registry, present)).unwrap();
            exit(&mut registry, &mut operators[index], &leaves, 1);
        }
        operators.push(operator(6));
        registry.append(&operators[6].commitment).unwrap();
        let second = epoch(1, &registry, 5);

        // Another leaves after epoch 1 opened.
        let leaves = present_leaves(&operators, &pool(&registry, 5)).unwrap();
        exit(&mut registry, &mut operators[0], &leaves, 2);

        let root = |leaves: Vec<CommitmentBytes>| RegistryTree::from_leaves(leaves).unwrap().root();
        for epoch in [&first, &second] {
            // In whatever order the node gives them.
            operators.reverse();
            let leaves = frozen_leaves(&operators, epoch).unwrap();
            assert_eq!(leaves.len(), epoch.leaf_count as usize);
            assert_eq!(root(leaves), epoch.registry_root, "{}", epoch.number);
        }
        let present = pool(&registry, 4);
        let leaves = present_leaves(&operators, &present).unwrap();
        assert_eq!(root(leaves), registry.root);

        // When the first two accounts are closed, the first epoch is over and the others still lead to their roots.
        operators.retain(|operator| ![1, 4].contains(&operator.leaf_index));
        assert!(matches!(
            frozen_leaves(&operators, &first),
            Err(ReadError::IncompleteRegistry {
                found: 4,
                expected: 6
            })
        ));
        let leaves = frozen_leaves(&operators, &second).unwrap();
        assert_eq!(root(leaves), second.registry_root);
    }

    #[test]
    fn an_answer_that_lacks_operators_or_is_beyond_all_bounds_is_refused() {
        let registry = Registry::empty().unwrap();
        let mut epoch = epoch(0, &registry, 2);
        epoch.leaf_count = 3;
        let operators = [operator(0), operator(2)];
        assert_eq!(frozen_leaves(&operators, &epoch).unwrap().len(), 3);
        let refused = frozen_leaves(&operators[..1], &epoch);
        assert!(matches!(
            refused,
            Err(ReadError::IncompleteRegistry {
                found: 1,
                expected: 2
            })
        ));
        // One place, two operators.
        let twice = [operator(0), operator(0)];
        assert!(frozen_leaves(&twice, &epoch).is_err());
        epoch.leaf_count = u32::MAX;
        assert!(frozen_leaves(&operators, &epoch).is_err());
    }
}
