
use solana_signer::Signer;
use veilpool_interface::{Change, Withdrawal, Proposal, address, builder, price};
use veilpool_program_harness::{PoolOnChain, chain::PROGRAM, people::Person, pool::{BOND, parameters}};
use veilpool_protocol::MeasurerCount;
#[test]
fn scratch_findings() {
    // xx
    let mut pool = PoolOnChain::with_operators(MeasurerCount::Three, 3);
    let holder = pool.new_holder(1_000);
    pool.deposit_as(&holder, 1_000).unwrap();
    pool.open_next().unwrap();
    crate::governance::propose(&mut pool, 0, Change::Unfreeze).unwrap();
    pool.request_withdrawal(&holder, 0, 1_000).unwrap();
    let w: Withdrawal = pool.chain.read(&address::withdrawal(&PROGRAM, &pool.pool, &holder.key.pubkey(), 0).0).unwrap();
    let p: Proposal = pool.chain.read(&address::proposal(&PROGRAM, &pool.pool, 0).0).unwrap();
    println!("FIND withdrawal ready {} proposal ready {}", w.ready_at, p.ready_at);
    // price
    println!("FIND price {:?}", price::next(500_000_000, 0, 1, &parameters()));
    println!("FIND price {:?}", price::next(500_000_000, 1, 0, &parameters()));
    // recycle
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let b = pool.new_holder(BOND);
    let own = b.key.pubkey();
    pool.people.push(Some(Person(0)));
    let path = pool.path(Person(0)).unwrap();
    let c = Person(0).commitment();
    let all = [
        builder::register_operator(&PROGRAM, &pool.pool, &own, &b.tokens, c),
        builder::exit_operator(&PROGRAM, &pool.pool, &own, &c, path),
        builder::release_bond(&PROGRAM, &pool.pool, &own, &b.tokens, &c),
    ];
    let r = pool.chain.send(&all, &[&b.key]).unwrap();
    println!("FIND recycled in one transaction, {} units, leaves {}, tokens {}", r.units, pool.record().registry.leaf_count, pool.chain.tokens(&b.tokens));
    // oo
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let h = pool.new_holder(1_000_000_000_000);
    pool.deposit_as(&h, 1_000_000_000_000).unwrap();
    pool.edit(|p| p.books.assets = 10_000_000);
    println!("FIND refill {:?}", pool.deposit(1_000_000_000_000).map(|_| ()));
    // pause + clock back
    let authority = veilpool_program_harness::people::authority();
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    let pause = builder::pause_claims(&PROGRAM, &pool.pool, &authority.pubkey(), 100);
    let resume = builder::resume_claims(&PROGRAM, &pool.pool, &authority.pubkey());
    for i in 0..5 {
        println!("FIND pause {i} {:?}", pool.chain.send(&[pause.clone()], &[&authority]).map(|_| ()));
        println!("FIND resume {i} {:?}", pool.chain.send(&[resume.clone()], &[&authority]).map(|_| ()));
    }
    // old authority's proposal executes after hand-over
    let mut pool = PoolOnChain::empty(MeasurerCount::Three);
    crate::governance::propose(&mut pool, 0, Change::Unfreeze).unwrap();
    let next = pool.chain.new_person();
    let a = builder::propose_authority(&PROGRAM, &pool.pool, &authority.pubkey(), address::bytes(&next.pubkey()));
    pool.chain.send(&[a], &[&authority]).unwrap();
    let a = builder::accept_authority(&PROGRAM, &pool.pool, &next.pubkey());
    pool.chain.send(&[a], &[&next]).unwrap();
    pool.chain.advance(3_600);
    println!("FIND old proposal {:?}", crate::governance::execute(&mut pool, 0, MeasurerCount::Three).map(|_| ()));
}
