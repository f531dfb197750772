//! What chain, model and events say, compared.

use veilpool_interface::{Books, Pool, PoolEvent};
use veilpool_program_harness::chain::Receipt;

use super::{super::steps::ACTORS, Side, TOKENS};

impl Side {
    /// What events say, without looking at any account.
    pub(super) fn hear(&mut self, receipt: &Receipt) {
        for event in receipt.events() {
            match event {
                PoolEvent::Deposited { amount, .. } => self.assets += i128::from(amount),
                PoolEvent::Withdrawn { amount, .. } => self.assets -= i128::from(amount),
                PoolEvent::Slashed { to_pool, .. } | PoolEvent::ChannelSettled { to_pool, .. } => {
                    self.assets += i128::from(to_pool);
                }
                PoolEvent::EpochOpened { epoch, budget, .. } => {
                    self.epochs.insert(epoch, (budget, 0));
                }
                PoolEvent::Claimed { epoch, reward, .. } => {
                    self.assets -= i128::from(reward);
                    let (budget, paid) = self.epochs.get_mut(&epoch).unwrap();
                    *paid += reward;
                    assert!(
                        paid <= budget,
                        "epoch {epoch} has paid more than its budget"
                    );
                }
                PoolEvent::EpochClosed {
                    epoch, released, ..
                } => {
                    let (budget, paid) = self.epochs[&epoch];
                    assert_eq!(released, budget - paid);
                }
                _ => {}
            }
        }
    }

    /// The chain's books are the model's, and the pool is solvent.
    pub(super) fn check(&self) {
        let Pool { books, rules, .. } = self.pool.record();
        let model = &self.model;
        let told = (books.assets, books.reserved, books.shares, books.queued);
        assert_eq!(
            told,
            (model.assets, model.reserved(), model.shares, model.queued())
        );
        let told = (books.bonded, books.escrowed, books.operators, books.price);
        assert_eq!(
            told,
            (
                model.bonded(),
                model.escrowed(),
                model.active(),
                model.price
            )
        );
        let told = (books.settled, books.attested, books.next_channel);
        assert_eq!(told, (model.settled, model.attested, model.generations));
        assert_eq!(books.next_epoch.get() as usize, model.epochs.len());
        assert_eq!(rules.parameters, model.parameters);
        assert!(!books.frozen);
        self.check_solvency(&books);

        let chain = &self.pool.chain;
        let mut all = model.donated.iter().sum::<u64>();
        for (holder, (tokens, shares)) in self
            .holders
            .iter()
            .zip(model.tokens.into_iter().zip(model.shares_of))
        {
            assert_eq!(chain.tokens(&holder.tokens), tokens);
            assert_eq!(chain.tokens(&holder.shares), shares);
        }
        // Nothing comes from nowhere, and nothing is lost.
        all += TOKENS * ACTORS as u64;
        let vaults = [self.pool.vault(), self.pool.bonds(), self.pool.escrow()];
        let holders = self.holders.iter().map(|holder| &holder.tokens);
        let accounts = holders.chain(&vaults).chain(&self.payees);
        let total: u64 = accounts.map(|account| chain.tokens(account)).sum();
        assert_eq!(total, all);
        let paid_out: u64 = self.payees.iter().map(|payee| chain.tokens(payee)).sum();
        assert_eq!(paid_out, model.paid_out);
        assert_eq!(self.assets, i128::from(books.assets), "as told by events");
    }

    fn check_solvency(&self, books: &Books) {
        let chain = &self.pool.chain;
        let [vault, bonds, escrow] = self.model.donated;
        assert_eq!(chain.tokens(&self.pool.vault()), books.assets + vault);
        assert_eq!(chain.tokens(&self.pool.bonds()), books.bonded + bonds);
        assert_eq!(chain.tokens(&self.pool.escrow()), books.escrowed + escrow);
        assert!(books.reserved <= books.assets);
        assert!(self.model.worth(books.shares) <= books.assets);
        for epoch in &self.model.epochs {
            assert!(epoch.reserved <= epoch.budget);
        }
    }
}
