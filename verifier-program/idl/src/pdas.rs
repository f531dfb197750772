//! Derived addresses: what `interface::address` does, as data.

use veilpool_interface::address::seed;

use crate::Node;

/// Type of a seed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seed {
    /// An account's address.
    Address,
    /// A field element.
    Field,
    /// A SHA-256 digest.
    Digest,
    /// A number, u32 little-endian.
    Number,
}

/// A kind of derived address: its constant seed, then the others. Names are those of arguments and accounts.
pub(crate) struct Pda {
    pub(crate) name: &'static str,
    first: &'static [u8],
    doc: &'static str,
    pub(crate) seeds: &'static [(&'static str, Seed)],
}

const fn pda(
    name: &'static str,
    first: &'static [u8],
    doc: &'static str,
    seeds: &'static [(&'static str, Seed)],
) -> Pda {
    Pda {
        name,
        first,
        doc,
        seeds,
    }
}

const POOL: (&str, Seed) = ("pool", Seed::Address);

/// All of them.
pub(crate) const ALL: [Pda; 12] = [
    pda(
        "pool",
        seed::POOL,
        "The pool of a mint and a founder.",
        &[("mint", Seed::Address), ("founder", Seed::Address)],
    ),
    pda("vault", seed::VAULT, "The pool's token vault.", &[POOL]),
    pda("bonds", seed::BONDS, "The pool's vault of bonds.", &[POOL]),
    pda(
        "escrow",
        seed::ESCROW,
        "The pool's vault of channels.",
        &[POOL],
    ),
    pda(
        "shareMint",
        seed::SHARES,
        "The mint of the pool's shares.",
        &[POOL],
    ),
    pda(
        "key",
        seed::KEY,
        "A verifying key by the SHA-256 of its file.",
        &[("digest", Seed::Digest)],
    ),
    pda(
        "operator",
        seed::OPERATOR,
        "An operator of a pool by its commitment.",
        &[POOL, ("commitment", Seed::Field)],
    ),
    pda(
        "epoch",
        seed::EPOCH,
        "An epoch of a pool by its number.",
        &[POOL, ("epoch", Seed::Number)],
    ),
    pda(
        "claim",
        seed::CLAIM,
        "A claim by its nullifier.",
        &[POOL, ("epoch", Seed::Number), ("nullifier", Seed::Field)],
    ),
    pda(
        "withdrawal",
        seed::WITHDRAWAL,
        "A withdrawal by its owner's number of it.",
        &[POOL, ("owner", Seed::Address), ("number", Seed::Number)],
    ),
    pda(
        "channel",
        seed::CHANNEL,
        "The channel of a consumer to a hub.",
        &[POOL, ("consumer", Seed::Address), ("hub", Seed::Address)],
    ),
    pda(
        "proposal",
        seed::PROPOSAL,
        "A proposal by the authority's number of it.",
        &[POOL, ("number", Seed::Number)],
    ),
];

pub(crate) fn find(name: &str) -> Option<&'static Pda> {
    ALL.iter().find(|pda| pda.name == name)
}

impl Pda {
    pub(crate) fn node(&self) -> Node {
        let mut seeds = vec![Node::ConstantPdaSeedNode {
            r#type: Box::new(Node::StringTypeNode {
                encoding: "utf8".to_owned(),
            }),
            value: Box::new(Node::StringValueNode {
                string: String::from_utf8_lossy(self.first).into_owned(),
            }),
        }];
        seeds.extend(self.seeds.iter().map(|(name, seed)| {
            let node = match seed {
                Seed::Address => Node::PublicKeyTypeNode {},
                Seed::Field => Node::link("fieldElement"),
                Seed::Digest => Node::bytes(32),
                Seed::Number => Node::number("u32"),
            };
            Node::VariablePdaSeedNode {
                name: (*name).to_owned(),
                docs: Vec::new(),
                r#type: Box::new(node),
            }
        }));
        Node::PdaNode {
            name: self.name.to_owned(),
            docs: vec![self.doc.to_owned()],
            seeds,
        }
    }
}
